/** Go's unsigned 64-bit numbers, which Gotify has as ids in paths and queries. Pure. */

const MAX_UINT64 = 2n ** 64n - 1n

/** Reads digits alone, leading zeros allowed; null for every other text and above 2^64 - 1. */
export function parseUint64(text: string): bigint | null {
  if (!/^\d{1,100}$/.test(text)) return null
  const number = BigInt(text)
  return number <= MAX_UINT64 ? number : null
}
