/**
 * The waiting side of a doorbell: tells a reader thread which shards have records and lets it sleep
 * without blocking its event loop. The gateway has one for all delivery lanes, every worker thread
 * one for its command lanes. Comes before LaneReader.peek; Doorbell is the other side.
 */
import type { ShardIndex } from '../ids.ts'
import type { Arena } from './arena.ts'
import { ASLEEP, AWAKE, Doorbell } from './doorbell.ts'
import { hasUnread } from './lane-state.ts'
import type { BellWords, Direction } from './layout.ts'

/** How often unread lanes are looked for without a ring, in milliseconds. */
const RECHECK_MS = 1000

/** The lanes a waiter answers for: shards `first`, `first + step`, ... of one direction. */
export interface WatchedLanes {
  readonly direction: Direction
  readonly first: number
  readonly step: number
}

/**
 * Usage: `takeDirty`, handle, and when it found nothing, await `wait()` (null: go on at once).
 * A lost mark or a lost ring delays records by a second at most and loses none.
 */
export class DoorbellWaiter {
  readonly #arena: Arena
  readonly #bell: BellWords
  readonly #lanes: WatchedLanes
  readonly #doorbell: Doorbell
  readonly #keepAlive: NodeJS.Timeout
  #closed = false

  constructor(arena: Arena, bell: BellWords, lanes: WatchedLanes) {
    this.#arena = arena
    this.#bell = bell
    this.#lanes = lanes
    this.#doorbell = new Doorbell(arena, bell)
    // A pending Atomics.waitAsync does not hold the event loop open (nodejs/node#44729): this timer
    // does, and it is the net under a missed wake. A timeout of waitAsync would leak until it ends.
    this.#keepAlive = setInterval(() => {
      this.#recheck()
    }, RECHECK_MS)
  }

  /** True after `close`: the loop that waits here ends. */
  get closed(): boolean {
    return this.#closed
  }

  /**
   * Visits every shard that was marked, once, in ascending order. When a visit throws, its shard stays
   * unmarked and the ones behind it stay marked. O(shards / 32 + visits).
   *
   * @returns how many shards were visited.
   */
  takeDirty(visit: (shard: ShardIndex) => void): number {
    const { words } = this.#arena
    let visits = 0
    for (let index = 0; index < this.#bell.bitmapLength; index++) {
      const at = this.#bell.bitmap + index
      // order: a bit that is set after this load waits for the next call.
      let bits = Atomics.load(words, at)
      while (bits !== 0) {
        const bit = bits & -bits
        bits &= ~bit
        // order: cleared before the lane is read: a record committed after the read sets it again.
        Atomics.and(words, at, ~bit)
        visit((index * 32 + 31 - Math.clz32(bit)) as ShardIndex)
        visits++
      }
    }
    return visits
  }

  /** Marks a shard again that a visit left unfinished: the next `wait` returns null. */
  keepDirty(shard: ShardIndex): void {
    this.#doorbell.mark(shard)
  }

  /** Sleeps until a ring, null when there is work already; has no timeout. At most one wait at a time. */
  wait(): Promise<unknown> | null {
    const { words } = this.#arena
    // order: ASLEEP is stored before the bitmap is looked at; see Doorbell.ring for the other half.
    Atomics.store(words, this.#bell.sleeping, ASLEEP)
    if (this.#closed || this.#isDirty()) {
      // order: a ringer that has taken ASLEEP already notifies nobody, which is harmless.
      Atomics.store(words, this.#bell.sleeping, AWAKE)
      return null
    }
    // order: waits only if the word is still ASLEEP, so a ring since the store is not slept through.
    const waiting = Atomics.waitAsync(words, this.#bell.sleeping, ASLEEP)
    return waiting.async ? waiting.value : null
  }

  /** Ends a pending wait and lets the event loop end; the waiter is of no use afterwards. */
  close(): void {
    this.#closed = true
    clearInterval(this.#keepAlive)
    this.#doorbell.ring()
  }

  #isDirty(): boolean {
    for (let index = 0; index < this.#bell.bitmapLength; index++) {
      // order: comes after the store of ASLEEP in wait.
      if (Atomics.load(this.#arena.words, this.#bell.bitmap + index) !== 0) return true
    }
    return false
  }

  /** Marks what a lost mark left behind, and rings for what a lost ring did; a record in flight is marked twice, which is harmless. */
  #recheck(): void {
    const { direction, first, step } = this.#lanes
    for (let shard = first; shard < this.#arena.layout.shardCount; shard += step) {
      if (hasUnread(this.#arena, shard, direction)) this.#doorbell.mark(shard as ShardIndex)
    }
    if (this.#isDirty()) this.#doorbell.ring()
  }
}
