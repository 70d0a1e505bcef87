/**
 * A shard worker of a simulation: the real shards on the real lanes, with a store in memory. Takes
 * the place of the thread and of what the supervisor does with it.
 */
import { WorkerRing, type GatewayRing } from '@bellwire/common/ring'
import type { UserId } from '@bellwire/common'
import {
  ShardThread,
  type GroupCommitLimits,
  type HintBus,
  type HintListener,
} from '@bellwire/shard-worker/testing'
import {
  MemoryMessageStore,
  type MemoryStoreOptions,
  type Statement,
} from './memory-message-store.ts'

export interface WorkerOptions extends Omit<MemoryStoreOptions, 'isListening'> {
  readonly ring: GatewayRing
  readonly thread: number
  readonly shardCount: number
  readonly limits: GroupCommitLimits
}

/** Hears what the simulation says; what it tells gets lost. */
class SimulatedHints implements HintBus {
  #listener: HintListener | null = null

  listen(listener: HintListener): void {
    this.#listener = listener
  }

  tell(): void {
    // The other process of a simulation has no sockets.
  }

  hear(userId: UserId, messageId: number): void {
    this.#listener?.heard(userId, messageId)
  }

  async close(): Promise<void> {
    this.#listener = null
  }
}

export class SimulatedWorker {
  readonly store: MemoryMessageStore
  readonly shards: ShardThread
  readonly #ring: WorkerRing
  readonly #hints = new SimulatedHints()

  constructor(options: WorkerOptions) {
    const { ring, thread, shardCount, shared, limits } = options
    this.#ring = new WorkerRing(ring.seatFor(thread))
    this.store = new MemoryMessageStore({
      ...options,
      isListening: (userId) => this.shards.isListening(userId),
    })
    this.shards = new ShardThread({
      lanes: this.#ring,
      store: this.store,
      shardCount,
      limits,
      ...(shared && { hints: this.#hints }),
    })
  }

  hear(userId: UserId, messageId: number): void {
    this.#hints.hear(userId, messageId)
  }

  turn(): void {
    this.shards.loop.turn()
  }

  /** Ends at once. @returns what it sent to the database and was not executed. */
  kill(): readonly Statement[] {
    this.shards.close()
    this.#ring.close()
    return this.store.die()
  }
}
