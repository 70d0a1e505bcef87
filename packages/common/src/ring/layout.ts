/**
 * The byte map of the arena: where every shared word and every lane lies. Pure arithmetic, used by
 * all threads; nothing here reads or writes shared memory.
 *
 *   byte 0
 *   +------------------------------------------------------------------------------------+
 *   | gateway bell     | line 0: sleeping word   | dirty bitmap, 1 bit a shard           |
 *   +------------------------------------------------------------------------------------+
 *   | thread 0         | line 0: sleeping word   | line 1: outstanding command bytes     |
 *   |                  | dirty bitmap            | line 2: outstanding delivery bytes    |
 *   | thread 1 ...                                                                       |
 *   +------------------------------------------------------------------------------------+
 *   | lane headers     | shard 0 command:  line 0 write sequence, origin (writer stores)       |
 *   |                  |                   line 1 read sequence          (reader stores)       |
 *   |                  |                   line 2 state and epoch        (gateway stores)      |
 *   |                  | shard 0 delivery: ... | shard 1 command: ...                    |
 *   +---- page boundary -----------------------------------------------------------------+
 *   | lane bodies      | shard 0 command: laneBytes | shard 0 delivery: laneBytes | ...  |
 *   +------------------------------------------------------------------------------------+
 *
 * All headers stand together, so that creating or resetting lanes touches no page of a body.
 */

/** Two words that different threads store to are at least this far apart: x86 fetches cache lines of 64 bytes in pairs. */
export const LINE_BYTES = 128

/** The unit in which the system hands out memory; a lane that stays inside one costs one. */
export const PAGE_BYTES = 4096

const WORD_BYTES = 4
const LINES_PER_LANE = 3
const LINES_PER_THREAD = 3
const BITS_PER_WORD = 32
const MIN_LANE_BYTES = 64
const MAX_ARENA_BYTES = 2 ** 31 - PAGE_BYTES

/** Which way a lane carries: `command` from the gateway to a shard, `delivery` from a shard to the gateway. */
export type Direction = 'command' | 'delivery'

export interface ArenaShape {
  readonly shardCount: number
  readonly threadCount: number
  /** Capacity of one lane, in bytes: a power of two. */
  readonly laneBytes: number
}

/** Word positions (in an Int32Array over the arena) of one doorbell. */
export interface BellWords {
  readonly sleeping: number
  readonly bitmap: number
  readonly bitmapLength: number
}

/** Word positions of one lane's header, and the byte where its body starts. */
export interface LaneWords {
  readonly writeSequence: number
  /** On the write sequence's line: the writer stores both, the reader loads both. */
  readonly origin: number
  readonly readSequence: number
  readonly state: number
  readonly bodyByte: number
}

/** Computes every position of an arena from its shape; two threads with the same shape agree. */
export class ArenaLayout {
  readonly shardCount: number
  readonly threadCount: number
  readonly laneBytes: number
  readonly byteLength: number
  readonly #bitmapBytes: number
  readonly #threadsByte: number
  readonly #threadBytes: number
  readonly #headersByte: number
  readonly #bodiesByte: number

  /** @throws {RangeError} when a count is no positive integer, `laneBytes` no power of two, or the arena above 2 GiB. */
  constructor(shape: ArenaShape) {
    requireShape(shape)
    this.shardCount = shape.shardCount
    this.threadCount = shape.threadCount
    this.laneBytes = shape.laneBytes
    this.#bitmapBytes = roundUp(
      Math.ceil(shape.shardCount / BITS_PER_WORD) * WORD_BYTES,
      LINE_BYTES,
    )
    this.#threadsByte = LINE_BYTES + this.#bitmapBytes
    this.#threadBytes = LINES_PER_THREAD * LINE_BYTES + this.#bitmapBytes
    this.#headersByte = this.#threadsByte + shape.threadCount * this.#threadBytes
    this.#bodiesByte = roundUp(
      this.#headersByte + shape.shardCount * 2 * LINES_PER_LANE * LINE_BYTES,
      PAGE_BYTES,
    )
    this.byteLength = this.#bodiesByte + shape.shardCount * 2 * shape.laneBytes
    if (this.byteLength > MAX_ARENA_BYTES) {
      throw new RangeError(
        `Cannot lay out the arena: ${this.byteLength} bytes, must be at most ${MAX_ARENA_BYTES}`,
      )
    }
  }

  gatewayBell(): BellWords {
    return this.#bellAt(0, LINE_BYTES)
  }

  threadBell(thread: number): BellWords {
    const start = this.#threadByte(thread)
    return this.#bellAt(start, start + LINES_PER_THREAD * LINE_BYTES)
  }

  /** Position of the count of transferred bytes that one thread's lanes of one direction hold. */
  outstanding(thread: number, direction: Direction): number {
    const line = direction === 'command' ? 1 : 2
    return (this.#threadByte(thread) + line * LINE_BYTES) / WORD_BYTES
  }

  lane(shard: number, direction: Direction): LaneWords {
    const index = shard * 2 + (direction === 'command' ? 0 : 1)
    const header = this.#headersByte + index * LINES_PER_LANE * LINE_BYTES
    return {
      writeSequence: header / WORD_BYTES,
      origin: header / WORD_BYTES + 1,
      readSequence: (header + LINE_BYTES) / WORD_BYTES,
      state: (header + 2 * LINE_BYTES) / WORD_BYTES,
      bodyByte: this.#bodiesByte + index * this.laneBytes,
    }
  }

  #threadByte(thread: number): number {
    return this.#threadsByte + thread * this.#threadBytes
  }

  #bellAt(sleepingByte: number, bitmapByte: number): BellWords {
    return {
      sleeping: sleepingByte / WORD_BYTES,
      bitmap: bitmapByte / WORD_BYTES,
      bitmapLength: Math.ceil(this.shardCount / BITS_PER_WORD),
    }
  }
}

function requireShape({ shardCount, threadCount, laneBytes }: ArenaShape): void {
  requireCount('shardCount', shardCount)
  requireCount('threadCount', threadCount)
  requireCount('laneBytes', laneBytes)
  if (laneBytes < MIN_LANE_BYTES || !Number.isInteger(Math.log2(laneBytes))) {
    throw new RangeError(
      `Cannot lay out the arena: laneBytes is ${laneBytes}, must be a power of two of at least ${MIN_LANE_BYTES}`,
    )
  }
}

function requireCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(
      `Cannot lay out the arena: ${name} is ${value}, must be a positive integer`,
    )
  }
}

function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit
}
