/** What lockstep threads log beside the values they see: marks that no checksum can be. */

export const EMPTY = -1
export const REFUSED = -2
/** The script threw. */
export const FAILED = -3
const CHECKSUM_BASE = 0x4000_0000

/** A number that follows from length and every byte; never a sequence or a mark above. */
export function checksumOf(bytes: Uint8Array, offset: number, length: number): number {
  let sum = length + 1
  for (let at = offset; at < offset + length; at++) sum = (sum * 257 + (bytes[at] ?? 0)) % 0xff_ffff
  return CHECKSUM_BASE + sum
}

export function isChecksum(logged: number): boolean {
  return logged >= CHECKSUM_BASE && logged < CHECKSUM_BASE + 0x100_0000
}
