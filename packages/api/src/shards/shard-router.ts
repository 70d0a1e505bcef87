/**
 * Stage 3 of the flow: finds the shard of a user and writes the command into its lane. Main
 * thread. Publishes are refused when the lane is full; the few other commands, which must not get
 * lost, wait in order for room.
 */
import {
  PushError,
  shardOf,
  threadOf,
  writeCommand,
  writePublish,
  type Publish,
  type RecordWriter,
  type ShardIndex,
  type UserCommand,
  type UserId,
} from '@bellwire/common'
import { RecentRevokes } from './recent-revokes.ts'
import type { PendingReplies, PendingReply } from './pending-replies.ts'

/** What the router needs of the gateway's end of the ring. */
export interface CommandLanes {
  commandWriter(shard: ShardIndex): RecordWriter
  markCommand(shard: ShardIndex): void
  ringThreads(): void
}

export interface RouterOptions {
  readonly lanes: CommandLanes
  readonly shardCount: number
  readonly threadCount: number
  readonly pending: PendingReplies
}

const RETRY_MS = 1
/** Commands in a row after which the workers start on them, while this thread still reads requests. */
const RING_EVERY = 16

export class ShardRouter {
  readonly #options: RouterOptions
  /** Commands that found their lane full, shard by shard, in order. */
  readonly #waiting = new Map<ShardIndex, UserCommand[]>()
  readonly #revokes = new RecentRevokes()
  /** Commands written since the last ring. */
  #unrung = 0
  #retry: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: RouterOptions) {
    this.#options = options
  }

  threadOfUser(userId: UserId): number {
    return threadOf(shardOf(userId, this.#options.shardCount), this.#options.threadCount)
  }

  /**
   * Sends a publish to its shard; the reply is told later, exactly once.
   * @returns an error, and the reply is never told, when the shard takes no more now.
   */
  publish(publish: Publish, reply: PendingReply): PushError | null {
    const { lanes, shardCount, threadCount, pending } = this.#options
    const shard = shardOf(publish.userId, shardCount)
    const correlationId = pending.add(threadOf(shard, threadCount), reply)
    if (!writePublish(lanes.commandWriter(shard), correlationId, publish)) {
      pending.drop(correlationId)
      return new PushError('SHARD_SATURATED', 'too many messages at once for this user, try again')
    }
    this.#mark(shard)
    return null
  }

  /** Sends a command that must arrive; it waits when the lane is full. */
  send(command: UserCommand): void {
    if (command.kind === 'revoke') this.#revokes.note(command, Date.now())
    const shard = shardOf(command.userId, this.#options.shardCount)
    const queue = this.#waiting.get(shard)
    if (queue !== undefined) {
      queue.push(command)
    } else if (writeCommand(this.#options.lanes.commandWriter(shard), command)) {
      this.#mark(shard)
    } else {
      this.#waiting.set(shard, [command])
      this.#retryLater()
    }
  }

  /** A revoke that the dead worker had not read is lost with its lane; one more does no harm. */
  repeatRevokes(thread: number): void {
    for (const command of this.#revokes.recent(Date.now())) {
      if (this.threadOfUser(command.userId) === thread) this.send(command)
    }
  }

  /** Sends a canary to a thread. @returns false when the lane has no room: nothing was sent. */
  sendCanary(thread: number): boolean {
    // The first shard of each thread has the number of the thread (threadOf).
    const shard = thread as ShardIndex
    const lane = this.#options.lanes.commandWriter(shard)
    if (!writeCommand(lane, { kind: 'canary', thread })) return false
    this.#mark(shard)
    return true
  }

  /** Forgets what waits for the shards of a worker that died: its state is told anew. */
  forgetThread(thread: number): void {
    for (const shard of this.#waiting.keys()) {
      if (threadOf(shard, this.#options.threadCount) === thread) this.#waiting.delete(shard)
    }
  }

  /** Wakes the workers for what was written in this turn; the simulation calls it by hand. */
  ring(): void {
    this.#unrung = 0
    this.#options.lanes.ringThreads()
  }

  close(): void {
    this.#closed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
  }

  /**
   * One wake-up for a run of commands: at the end of the event loop's turn, and sooner when a turn
   * brings many, so that reading, checking and committing overlap instead of taking turns.
   */
  #mark(shard: ShardIndex): void {
    this.#options.lanes.markCommand(shard)
    this.#unrung++
    // A plan that an early ring has overtaken rings for later commands or for nothing.
    if (this.#unrung === 1) setImmediate(() => this.ring())
    else if (this.#unrung === RING_EVERY) this.ring()
  }

  #retryLater(): void {
    if (this.#retry !== null || this.#closed) return
    this.#retry = setTimeout(() => {
      this.#retry = null
      this.#retryNow()
    }, RETRY_MS)
  }

  #retryNow(): void {
    for (const [shard, queue] of this.#waiting) {
      const lane = this.#options.lanes.commandWriter(shard)
      let written = 0
      while (written < queue.length) {
        const command = queue[written]
        if (command === undefined || !writeCommand(lane, command)) break
        written++
      }
      if (written > 0) this.#mark(shard)
      if (written === queue.length) this.#waiting.delete(shard)
      else queue.splice(0, written)
    }
    if (this.#waiting.size > 0) this.#retryLater()
  }
}
