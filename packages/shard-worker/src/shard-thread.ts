/**
 * Composition of one worker thread: its shards, what they share, and its end. The entry file
 * worker.ts only calls this; the simulation builds the same parts around its own lanes and store.
 */
import { systemClock, type Clock, type Command, type UserId } from '@bellwire/common'
import { CatchUp } from './catch-up.ts'
import { CommandLoop, type CommandLanes } from './command-loop.ts'
import {
  DEFAULT_LIMITS,
  GroupCommit,
  type BatchListener,
  type GroupCommitLimits,
} from './group-commit.ts'
import { HeadLookup } from './head-lookup.ts'
import { Outbox, type DeliveryLanes } from './outbox.ts'
import { PublishChecker } from './publish/publish-checker.ts'
import { Shard, type ShardTools } from './shard.ts'
import type { MessageStore } from './store/message-store.ts'

export interface ShardThreadOptions {
  readonly lanes: CommandLanes & DeliveryLanes
  readonly store: MessageStore
  readonly clock?: Clock
  readonly limits?: GroupCommitLimits
  readonly onBatch?: BatchListener
}

export class ShardThread {
  readonly loop: CommandLoop
  readonly outbox: Outbox
  readonly #tools: ShardTools
  readonly #store: MessageStore
  /** Made when a command first names them. */
  readonly #shards = new Map<number, Shard>()
  #retries: (() => void)[] = []

  constructor({ lanes, store, clock, limits, onBatch }: ShardThreadOptions) {
    this.#store = store
    this.outbox = new Outbox(lanes)
    const groupCommit = new GroupCommit(store, limits ?? DEFAULT_LIMITS, (rows, milliseconds) => {
      onBatch?.(rows, milliseconds)
    })
    this.#tools = {
      outbox: this.outbox,
      groupCommit,
      heads: new HeadLookup(store),
      catchUp: new CatchUp(store, this.outbox),
      checker: new PublishChecker(store, clock ?? systemClock),
      whenUp: (retry) => {
        this.#retries.push(retry)
      },
    }
    this.loop = new CommandLoop(lanes, this.outbox, groupCommit, (shard, command) =>
      this.#handle(shard, command),
    )
    store.onUp(() => this.#databaseIsBack())
  }

  /** Users with open connections. */
  get userCount(): number {
    let count = 0
    for (const shard of this.#shards.values()) count += shard.userCount
    return count
  }

  /** True when nothing is on its way into the log. */
  get idle(): boolean {
    return this.#tools.groupCommit.idle && !this.outbox.saturated
  }

  close(): void {
    this.#tools.catchUp.close()
    this.outbox.close()
  }

  #handle(shard: number, command: Command): void {
    let owner = this.#shards.get(shard)
    if (owner === undefined) {
      owner = new Shard(shard, this.#tools)
      this.#shards.set(shard, owner)
    }
    owner.handle(command)
  }

  /** A batch whose outcome was lost may be in the log: whoever listens must get it. */
  #databaseIsBack(): void {
    const retries = this.#retries
    this.#retries = []
    for (const retry of retries) retry()
    for (const shard of this.#shards.values()) {
      for (const userId of shard.listeningUsers()) this.#compareWithLog(shard, userId)
    }
  }

  #compareWithLog(shard: Shard, userId: UserId): void {
    this.#tools.heads.request({
      userId,
      found: (head) => shard.noticeHead(userId, head),
      // It went away again: the next time it is back this runs again.
      failed: () => undefined,
    })
  }
}
