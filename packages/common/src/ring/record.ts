/**
 * How a record lies in a lane, shared by writer and reader:
 *
 *   | byte length, 4 bytes | kind, 4 bytes | body ... | padding to a multiple of 8 |
 *
 * A record is never split over the end of the lane: a skip marker (header only) fills the rest.
 *
 * Sequences count bytes, wrap at 2^32 and are compared by difference. The origin is a sequence that
 * lies at the start of the lane; the writer moves it, when the lane is empty, to write there again.
 */

export const RECORD_HEADER_BYTES = 8

/** The body follows in the lane. */
export const KIND_INLINE = 0
/** Nothing follows: the reader goes on at the start of the lane. */
export const KIND_SKIP = 1
/** The body was posted to the other thread; the lane holds this placeholder, so order holds. */
export const KIND_TRANSFERRED = 2

/** Bytes that a record with a body of `byteLength` takes in the lane. */
export function recordBytes(byteLength: number): number {
  return (RECORD_HEADER_BYTES + byteLength + 7) & ~7
}

/** Biggest body that travels inside the lane; a bigger one is transferred. */
export function maxInlineBytes(laneBytes: number): number {
  return laneBytes / 4
}

/** Where a sequence lies in a lane, in bytes from its start; the capacity is a power of two. */
export function positionOf(sequence: number, origin: number, capacity: number): number {
  return (sequence - origin) & (capacity - 1)
}
