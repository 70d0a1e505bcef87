/**
 * The writing end of one lane: claim room, write the body in place, commit. Runs on the gateway for
 * command lanes and on the shard's worker thread for delivery lanes; exactly one thread writes a
 * lane. After a commit the caller marks the reader's doorbell.
 */
import { PushError } from '../errors.ts'
import type { Arena } from './arena.ts'
import { openState } from './lane-state.ts'
import { PAGE_BYTES, type Direction, type LaneWords } from './layout.ts'
import {
  KIND_INLINE,
  KIND_SKIP,
  KIND_TRANSFERRED,
  maxInlineBytes,
  recordBytes,
  RECORD_HEADER_BYTES,
} from './record.ts'
import type { TransferSender } from './transfer.ts'

const NO_ROOM = -1

/** Everything a lane end is made from. */
export interface LaneOptions<Transfer> {
  readonly arena: Arena
  readonly shard: number
  readonly direction: Direction
  readonly epoch: number
  readonly transfer: Transfer
}

/**
 * Sequences count bytes, wrap at 2^32 and are compared by difference; the place of a sequence in the
 * lane is its low bits, since the capacity is a power of two.
 */
export class LaneWriter {
  /** Where the body of the claimed record goes, from {@link offset} on; valid until `commit` or the next claim. */
  bytes: Buffer
  /** The same memory as {@link bytes}. */
  view: DataView
  offset = 0

  readonly #arena: Arena
  readonly #lane: LaneWords
  readonly #shard: number
  readonly #openState: number
  readonly #transfer: TransferSender
  readonly #capacity: number
  readonly #maxInlineBytes: number
  readonly #restartMask: number
  #writeSequence: number
  /** The read sequence when last looked at: never ahead of the real one, so room is never overrated. */
  #readSequenceSeen: number
  #claimedSkip = 0
  #claimedBytes = 0
  #claimedLength = 0
  #claimedBody: ArrayBuffer | null = null

  constructor({ arena, shard, direction, epoch, transfer }: LaneOptions<TransferSender>) {
    this.bytes = arena.bytes
    this.view = arena.view
    this.#arena = arena
    this.#lane = arena.layout.lane(shard, direction)
    this.#shard = shard
    this.#openState = openState(epoch)
    this.#transfer = transfer
    this.#capacity = arena.layout.laneBytes
    this.#maxInlineBytes = maxInlineBytes(this.#capacity)
    this.#restartMask = ~(Math.min(PAGE_BYTES, this.#capacity / 16) - 1)
    // order: this thread alone stores the write sequence; the thread's start ordered older stores.
    this.#writeSequence = Atomics.load(arena.words, this.#lane.writeSequence)
    this.#readSequenceSeen = this.#loadReadSequence()
  }

  /** True when the lane takes nothing more in this writer's epoch; a claim that failed otherwise found it full. */
  get closed(): boolean {
    // order: nothing else depends on it; a late answer costs one more record, which is drained.
    return Atomics.load(this.#arena.words, this.#lane.state) !== this.#openState
  }

  /**
   * Reserves a record and points `bytes`, `view` and `offset` at its body; replaces an uncommitted claim.
   * Never throws for want of room, never blocks. O(1).
   *
   * @returns false when the lane is full or {@link closed}; then no record is claimed.
   */
  tryClaim(byteLength: number): boolean {
    this.#dropClaim()
    const inline = byteLength <= this.#maxInlineBytes
    const size = inline ? recordBytes(byteLength) : RECORD_HEADER_BYTES
    const skip = this.#place(byteLength, size)
    if (skip === NO_ROOM) return false
    this.#claimedSkip = skip
    this.#claimedBytes = size
    this.#claimedLength = byteLength
    if (inline) {
      this.offset = this.#byteAt(this.#writeSequence + skip) + RECORD_HEADER_BYTES
    } else {
      const body = new ArrayBuffer(byteLength)
      this.#claimedBody = body
      this.bytes = Buffer.from(body)
      this.view = new DataView(body)
      this.offset = 0
    }
    return true
  }

  /** Tells whether `tryClaim(byteLength)` would succeed now; stays true until the next commit. */
  hasRoom(byteLength: number): boolean {
    const inline = byteLength <= this.#maxInlineBytes
    return (
      this.#place(byteLength, inline ? recordBytes(byteLength) : RECORD_HEADER_BYTES) !== NO_ROOM
    )
  }

  /**
   * Makes the claimed record visible to the reader, whole and after all earlier ones.
   *
   * @throws {PushError} INTERNAL when no record is claimed.
   */
  commit(): void {
    if (this.#claimedBytes === 0) {
      throw new PushError('INTERNAL', 'Cannot commit: no record is claimed')
    }
    const start = (this.#writeSequence + this.#claimedSkip) | 0
    if (this.#claimedSkip > 0) this.#writeHeader(this.#writeSequence, 0, KIND_SKIP)
    if (this.#claimedBody === null) {
      this.#writeHeader(start, this.#claimedLength, KIND_INLINE)
    } else {
      this.#writeHeader(start, this.#claimedLength, KIND_TRANSFERRED)
      this.#transfer.send(this.#shard, start, this.#claimedBody)
    }
    this.#writeSequence = (start + this.#claimedBytes) | 0
    this.#dropClaim()
    // order: all plain stores of marker, header and body come before this store, and the reader
    // touches them only after it has loaded this value.
    Atomics.store(this.#arena.words, this.#lane.writeSequence, this.#writeSequence)
  }

  /** Bytes in use, markers and padding included; never less than the truth, since the reader only lowers it. */
  depthGuess(): number {
    return (this.#writeSequence - this.#loadReadSequence()) | 0
  }

  /** Bytes to skip before a record of `size` bytes, or NO_ROOM. */
  #place(byteLength: number, size: number): number {
    if (this.closed) return NO_ROOM
    if (byteLength > this.#maxInlineBytes && !this.#transfer.hasRoom(byteLength)) return NO_ROOM
    const position = this.#writeSequence & (this.#capacity - 1)
    const toEnd = this.#capacity - position
    const skip = size > toEnd || this.#shouldRestart(position, size) ? toEnd : 0
    const needed = skip + size
    if (needed <= this.#free()) return skip
    this.#readSequenceSeen = this.#loadReadSequence()
    return needed <= this.#free() ? skip : NO_ROOM
  }

  /**
   * True when the lane is empty and the record would reach a new page: it then goes to the start, so
   * that a lane which is never deep never touches its later pages. Safe because an empty lane has
   * nothing the reader may be looking at: marker and record become visible together by the commit.
   * The record must end before the marker, hence `size <= position`.
   */
  #shouldRestart(position: number, size: number): boolean {
    const reachesNewPage =
      (position & this.#restartMask) !== ((position + size) & this.#restartMask)
    if (!reachesNewPage || size > position) return false
    this.#readSequenceSeen = this.#loadReadSequence()
    return this.#readSequenceSeen === this.#writeSequence
  }

  #free(): number {
    return this.#capacity - ((this.#writeSequence - this.#readSequenceSeen) | 0)
  }

  #loadReadSequence(): number {
    // order: the reader's last look at a record comes before its store of the read sequence, so what
    // this load frees may be overwritten.
    return Atomics.load(this.#arena.words, this.#lane.readSequence)
  }

  #writeHeader(sequence: number, byteLength: number, kind: number): void {
    const at = this.#byteAt(sequence)
    this.#arena.view.setInt32(at, byteLength, true)
    this.#arena.view.setInt32(at + 4, kind, true)
  }

  #byteAt(sequence: number): number {
    return this.#lane.bodyByte + (sequence & (this.#capacity - 1))
  }

  #dropClaim(): void {
    this.#claimedBytes = 0
    if (this.#claimedBody === null) return
    this.#claimedBody = null
    this.bytes = this.#arena.bytes
    this.view = this.#arena.view
  }
}
