/**
 * Composition of one worker thread: its shards, what they share, and its end. The entry file
 * worker.ts only calls this; the simulation builds the same parts around its own lanes and store.
 */
import { shardOf, systemClock, type Clock, type Command, type UserId } from '@bellwire/common'
import { CatchUp } from './catch-up.ts'
import { CommandLoop, type CommandLanes } from './command-loop.ts'
import {
  DEFAULT_LIMITS,
  GroupCommit,
  type GroupCommitLimits,
  type GroupCommitListener,
} from './group-commit.ts'
import type { HintBus } from './cluster/hint-bus.ts'
import { headReads } from './head-reads.ts'
import { Outbox, type DeliveryLanes } from './outbox.ts'
import { PublishChecker } from './publish/publish-checker.ts'
import { Retries } from './retries.ts'
import { Shard, type ShardTools } from './shard.ts'
import type { MessageStore } from './store/message-store.ts'

/** A lost hint delays a message by this much at most. Milliseconds. */
const POLL_MS = 5_000

export interface ShardThreadOptions {
  readonly lanes: CommandLanes & DeliveryLanes
  readonly store: MessageStore
  readonly shardCount: number
  /** Present where other processes write to the same log. */
  readonly hints?: HintBus
  readonly clock?: Clock
  readonly limits?: GroupCommitLimits
  /** Told of each commit (GroupCommitListener.batch). */
  readonly onBatch?: GroupCommitListener['batch']
}

export class ShardThread {
  readonly loop: CommandLoop
  readonly outbox: Outbox
  readonly #tools: ShardTools
  /** Made when a command first names them. */
  readonly #shards = new Map<number, Shard>()
  readonly #shardCount: number
  readonly #poll: NodeJS.Timeout | null = null

  constructor(options: ShardThreadOptions) {
    const { lanes, store, shardCount, hints, clock, limits, onBatch } = options
    this.#shardCount = shardCount
    this.outbox = new Outbox(lanes)
    const groupCommit = new GroupCommit(store, limits ?? DEFAULT_LIMITS, {
      batch: (milliseconds, publishMs) => onBatch?.(milliseconds, publishMs),
      settled: () => this.outbox.ring(),
    })
    const retries = new Retries(store)
    this.#tools = {
      outbox: this.outbox,
      groupCommit,
      heads: headReads(store),
      catchUp: new CatchUp(store, this.outbox, retries),
      retries,
      store,
      hints: hints ?? null,
      checker: new PublishChecker(store, clock ?? systemClock),
    }
    this.loop = new CommandLoop(lanes, this.outbox, groupCommit, (shard, command) =>
      this.#handle(shard, command),
    )
    if (hints !== undefined) {
      hints.listen({
        heard: (userId, messageId) => {
          this.#shards.get(shardOf(userId, shardCount))?.noticeHead(userId, messageId)
        },
        gap: () => this.#compareAll(),
      })
      this.#poll = setInterval(() => this.#compareAll(), POLL_MS)
    }
  }

  /** Users with open connections. */
  get userCount(): number {
    let count = 0
    for (const shard of this.#shards.values()) count += shard.userCount
    return count
  }

  /** True for a user with open connections on this thread. */
  isListening(userId: UserId): boolean {
    return this.#shards.get(shardOf(userId, this.#shardCount))?.isListening(userId) === true
  }

  /** True when nothing is on its way into the log. */
  get idle(): boolean {
    return this.#tools.groupCommit.idle && !this.outbox.saturated
  }

  close(): void {
    if (this.#poll !== null) clearInterval(this.#poll)
    this.#tools.catchUp.close()
    this.#tools.retries.close()
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

  /** Finds what no hint told of. */
  #compareAll(): void {
    for (const shard of this.#shards.values()) {
      for (const userId of shard.listeningUsers()) this.#compareWithLog(shard, userId)
    }
  }

  #compareWithLog(shard: Shard, userId: UserId): void {
    this.#tools.heads.read(userId).then(
      ({ head }) => shard.noticeHead(userId, head),
      // The next poll asks again.
      () => undefined,
    )
  }
}
