/**
 * Finds the sort key of an application that is put at the end of the list: fractional indexing in
 * base 62, as Gotify's own app and web page use it. Pure.
 */
import { generateKeyBetween } from 'fractional-indexing'

/**
 * Returns a key that sorts behind `last` byte by byte. `last` may be any text, because users choose
 * keys freely: when it is no key itself, the longest key at its end is counted on, else a first key
 * is appended.
 */
export function sortKeyAfter(last: string | null): string {
  if (last === null) return generateKeyBetween(null, null)
  for (let start = 0; start < last.length; start++) {
    const next = successor(last.slice(start))
    if (next !== null) return last.slice(0, start) + next
  }
  return last + generateKeyBetween(null, null)
}

function successor(key: string): string | null {
  // The library takes foreign characters for digits and may then answer a smaller key.
  if (!/^[0-9A-Za-z]+$/.test(key)) return null
  try {
    return generateKeyBetween(key, null)
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('invalid order key')) return null
    throw error
  }
}
