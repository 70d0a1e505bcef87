/**
 * The ringing side of a doorbell: says which shards have new records and wakes the reader thread if
 * it sleeps. The gateway has one a worker thread, every worker thread has one for the gateway;
 * several threads may ring the same one. Comes after LaneWriter.commit; DoorbellWaiter is the other side.
 */
import type { ShardIndex } from '../ids.ts'
import type { Arena } from './arena.ts'
import type { BellWords } from './layout.ts'

/** Value of the sleeping word while the reader thread waits or is about to. */
export const ASLEEP = 1
export const AWAKE = 0

export class Doorbell {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #bell: BellWords

  constructor(arena: Arena, bell: BellWords) {
    this.#words = arena.words
    this.#bell = bell
  }

  /** Notes that a shard's lane has records; call after the commit. Any thread; marking twice is harmless. */
  mark(shard: ShardIndex): void {
    // order: comes after the commit's store, so a reader that takes the bit finds the record.
    Atomics.or(this.#words, this.#bell.bitmap + (shard >> 5), 1 << (shard & 31))
  }

  /** Wakes the reader if it sleeps: one load when it is awake. Call once after a run of marks. */
  ring(): void {
    // order: the marks come before this load, and the reader looks at the bitmap after it has stored
    // ASLEEP: in the one total order of all atomic operations either this load sees ASLEEP or the
    // reader sees the mark. The exchange lets only one of several ringers pay for the wake.
    if (
      Atomics.load(this.#words, this.#bell.sleeping) === ASLEEP &&
      Atomics.exchange(this.#words, this.#bell.sleeping, AWAKE) === ASLEEP
    ) {
      Atomics.notify(this.#words, this.#bell.sleeping)
    }
  }
}
