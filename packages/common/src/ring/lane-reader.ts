/**
 * The reading end of one lane: peek at the oldest record in place, handle it, release it. Runs on the
 * shard's worker thread for command lanes and on the gateway for delivery lanes; exactly one thread
 * reads a lane. Called after DoorbellWaiter.takeDirty names the shard.
 */
import { PushError } from '../errors.ts'
import type { Arena } from './arena.ts'
import type { LaneOptions } from './lane-writer.ts'
import type { LaneWords } from './layout.ts'
import {
  KIND_INLINE,
  KIND_SKIP,
  KIND_TRANSFERRED,
  maxInlineBytes,
  positionOf,
  recordBytes,
  RECORD_HEADER_BYTES,
} from './record.ts'
import type { TransferReceiver } from './transfer.ts'

export class LaneReader {
  /** The memory of the record that `peek` found: `length` bytes from `offset` on; valid until `release`. */
  bytes: Buffer
  /** The same memory as {@link bytes}. */
  view: DataView
  offset = 0
  length = 0

  readonly #arena: Arena
  readonly #lane: LaneWords
  readonly #shard: number
  readonly #transfer: TransferReceiver
  readonly #capacity: number
  #readSequence: number
  /** The sequence that lies at the start of the lane, for all records up to `#writeSequenceSeen`. */
  #origin: number
  /** The write sequence when last looked at: never ahead of the real one, so nothing unpublished is read. */
  #writeSequenceSeen: number
  /** Bytes that `release` gives back; 0 when no record is peeked at. */
  #peekedBytes = 0

  constructor({ arena, shard, direction, transfer }: Omit<LaneOptions<TransferReceiver>, 'epoch'>) {
    this.bytes = arena.bytes
    this.view = arena.view
    this.#arena = arena
    this.#lane = arena.layout.lane(shard, direction)
    this.#shard = shard
    this.#transfer = transfer
    this.#capacity = arena.layout.laneBytes
    // order: this thread alone stores the read sequence; the thread's start ordered older stores.
    this.#readSequence = Atomics.load(arena.words, this.#lane.readSequence)
    this.#writeSequenceSeen = this.#readSequence
    this.#origin = this.#loadOrigin()
  }

  /**
   * Finds the oldest record that is not released; asking again before `release` finds the same one.
   *
   * @returns false when the lane is empty.
   * @throws {PushError} INTERNAL when the lane holds no valid record, which means that its memory was damaged.
   */
  peek(): boolean {
    if (this.#peekedBytes > 0) return true
    if (this.#isEmpty()) return false
    let position = positionOf(this.#readSequence, this.#origin, this.#capacity)
    if (this.#kindAt(position) === KIND_SKIP) {
      // A marker is committed together with the record behind it, so a record is there.
      this.#readSequence = (this.#readSequence + this.#capacity - position) | 0
      position = 0
    }
    const length = this.#arena.view.getInt32(this.#lane.bodyByte + position, true)
    switch (this.#kindAt(position)) {
      case KIND_INLINE:
        this.#peekInline(position, length)
        return true
      case KIND_TRANSFERRED:
        this.#peekTransferred(length)
        return true
      default:
        throw this.#damaged(position, length)
    }
  }

  /**
   * Gives the record's room back to the writer; its memory may change from now on.
   *
   * @throws {PushError} INTERNAL when `peek` found no record since the last release.
   */
  release(): void {
    if (this.#peekedBytes === 0) {
      throw new PushError('INTERNAL', 'Cannot release: no record is peeked at')
    }
    if (this.bytes !== this.#arena.bytes) this.#releaseTransferred()
    this.#readSequence = (this.#readSequence + this.#peekedBytes) | 0
    this.#peekedBytes = 0
    // order: every read of the record comes before this store; the writer overwrites its bytes only
    // after it has loaded this value.
    Atomics.store(this.#arena.words, this.#lane.readSequence, this.#readSequence)
  }

  /** Bytes in use, markers and padding included; never more than the truth, since the writer only raises it. */
  depthGuess(): number {
    return (this.#loadWriteSequence() - this.#readSequence) | 0
  }

  #isEmpty(): boolean {
    if (this.#readSequence !== this.#writeSequenceSeen) return false
    this.#writeSequenceSeen = this.#loadWriteSequence()
    if (this.#readSequence === this.#writeSequenceSeen) return true
    this.#origin = this.#loadOrigin()
    return false
  }

  #loadOrigin(): number {
    // order: the writer stores a new origin before the write sequence that this thread has just
    // loaded, and stores the next one only after this thread has released all up to there.
    return Atomics.load(this.#arena.words, this.#lane.origin)
  }

  #loadWriteSequence(): number {
    // order: pairs with the writer's store in commit: what lies before this value is fully written.
    return Atomics.load(this.#arena.words, this.#lane.writeSequence)
  }

  #kindAt(position: number): number {
    return this.#arena.view.getInt32(this.#lane.bodyByte + position + 4, true)
  }

  #peekInline(position: number, length: number): void {
    if (length < 0 || length > maxInlineBytes(this.#capacity)) throw this.#damaged(position, length)
    this.offset = this.#lane.bodyByte + position + RECORD_HEADER_BYTES
    this.length = length
    this.#peekedBytes = recordBytes(length)
  }

  #peekTransferred(length: number): void {
    const body = this.#transfer.take(this.#shard, this.#readSequence)
    this.bytes = Buffer.from(body)
    this.view = new DataView(body)
    this.offset = 0
    this.length = length
    this.#peekedBytes = RECORD_HEADER_BYTES
  }

  #releaseTransferred(): void {
    this.#transfer.release(this.length)
    this.bytes = this.#arena.bytes
    this.view = this.#arena.view
  }

  #damaged(position: number, length: number): PushError {
    const kind = this.#kindAt(position)
    return new PushError(
      'INTERNAL',
      `Cannot read shard ${this.#shard}: record at ${position} has kind ${kind} and length ${length}`,
    )
  }
}
