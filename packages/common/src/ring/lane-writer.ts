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
  positionOf,
  recordBytes,
  RECORD_HEADER_BYTES,
} from './record.ts'
import type { TransferSender } from './transfer.ts'

/** Everything a lane end is made from. */
export interface LaneOptions<Transfer> {
  readonly arena: Arena
  readonly shard: number
  readonly direction: Direction
  readonly epoch: number
  readonly transfer: Transfer
}

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
  readonly #shallowBytes: number
  #writeSequence: number
  /** The read sequence when last looked at: never ahead of the real one, so room is never overrated. */
  #readSequenceSeen: number
  /** The sequence that lies at the start of the lane. */
  #origin: number
  #claimedOrigin = 0
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
    this.#shallowBytes = Math.min(PAGE_BYTES, this.#capacity / 4)
    // order: this thread alone stores write sequence and origin; the thread's start ordered older stores.
    this.#writeSequence = Atomics.load(arena.words, this.#lane.writeSequence)
    this.#origin = Atomics.load(arena.words, this.#lane.origin)
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
    const origin = this.#originFor(size)
    const skip = this.#skipFor(size, origin)
    if (!this.#takes(byteLength, skip + size)) return false
    this.#claimedOrigin = origin
    this.#claimedSkip = skip
    this.#claimedBytes = size
    this.#claimedLength = byteLength
    if (inline) {
      this.offset = this.#byteAt(this.#writeSequence + skip, origin) + RECORD_HEADER_BYTES
    } else {
      const body = new ArrayBuffer(byteLength)
      this.#claimedBody = body
      this.bytes = Buffer.from(body)
      this.view = new DataView(body)
      this.offset = 0
    }
    return true
  }

  /** Tells whether `tryClaim(byteLength)` would succeed now; stays true until the next commit or the close. */
  hasRoom(byteLength: number): boolean {
    const inline = byteLength <= this.#maxInlineBytes
    const size = inline ? recordBytes(byteLength) : RECORD_HEADER_BYTES
    return this.#takes(byteLength, this.#skipFor(size, this.#originFor(size)) + size)
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
    if (this.#claimedOrigin !== this.#origin) this.#moveOrigin()
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

  /**
   * The origin under which the next record is written. A record that would reach beyond the first page
   * goes to the start if the lane is empty: a lane that is never deep never touches its later pages.
   * Safe because the reader of an empty lane looks at no position before it has loaded a new write
   * sequence, and then it loads the origin too.
   */
  #originFor(size: number): number {
    const position = positionOf(this.#writeSequence, this.#origin, this.#capacity)
    if (position + size <= this.#shallowBytes) return this.#origin
    this.#readSequenceSeen = this.#loadReadSequence()
    return this.#readSequenceSeen === this.#writeSequence ? this.#writeSequence : this.#origin
  }

  /** Bytes to leave out, behind a marker, so that the record is not split over the end of the lane. */
  #skipFor(size: number, origin: number): number {
    const toEnd = this.#capacity - positionOf(this.#writeSequence, origin, this.#capacity)
    return size > toEnd ? toEnd : 0
  }

  #takes(byteLength: number, laneBytes: number): boolean {
    if (this.closed) return false
    if (byteLength > this.#maxInlineBytes && !this.#transfer.hasRoom(byteLength)) return false
    if (laneBytes <= this.#free()) return true
    this.#readSequenceSeen = this.#loadReadSequence()
    return laneBytes <= this.#free()
  }

  #free(): number {
    return this.#capacity - ((this.#writeSequence - this.#readSequenceSeen) | 0)
  }

  #loadReadSequence(): number {
    // order: the reader's last look at a record comes before its store of the read sequence, so what
    // this load frees may be overwritten.
    return Atomics.load(this.#arena.words, this.#lane.readSequence)
  }

  #moveOrigin(): void {
    this.#origin = this.#claimedOrigin
    // order: comes before the store of the write sequence that the reader waits for.
    Atomics.store(this.#arena.words, this.#lane.origin, this.#origin)
  }

  #writeHeader(sequence: number, byteLength: number, kind: number): void {
    const at = this.#byteAt(sequence, this.#origin)
    this.#arena.view.setInt32(at, byteLength, true)
    this.#arena.view.setInt32(at + 4, kind, true)
  }

  #byteAt(sequence: number, origin: number): number {
    return this.#lane.bodyByte + positionOf(sequence, origin, this.#capacity)
  }

  #dropClaim(): void {
    this.#claimedBytes = 0
    if (this.#claimedBody === null) return
    this.#claimedBody = null
    this.bytes = this.#arena.bytes
    this.view = this.#arena.view
  }
}
