/**
 * Settings of several values: one CSV line, or a JSON object. An empty item is refused: as a regular
 * expression it would match everything, so a comma too many would open a door. Pure functions for
 * the tables in settings/.
 */
import { splitCsvLine } from '../csv-line.ts'
import { compileGoRegExp } from '../go-regexp.ts'
import type { Kind } from './kind.ts'
import { isAddressRange } from './network.ts'

/** RFC 9110 5.6.2: what a header name and a method may be made of. */
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/

/** RFC 9110 5.5: visible characters, spaces and tabs; a line break would forge a header. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

export const texts: Kind<readonly string[]> = listOf('list', (item) => item)

export const tokens: Kind<readonly string[]> = listOf('list', (item) => {
  if (!TOKEN.test(item)) throw new Error('must be a list of names without spaces or separators')
  return item
})

export const addressRanges: Kind<readonly string[]> = listOf(
  'list of IP addresses or CIDR ranges',
  (item) => {
    if (!isAddressRange(item)) {
      throw new Error('must be a list of IP addresses or CIDR ranges, such as 10.0.0.0/8,::1')
    }
    return item
  },
)

export const regExps: Kind<readonly RegExp[]> = listOf('list of regular expressions', (item) => {
  try {
    return compileGoRegExp(item)
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*: /s, '') : String(error)
    throw new Error(
      `must be a list of regular expressions, ${JSON.stringify(item)} is none (${reason})`,
      { cause: error },
    )
  }
})

export const headers: Kind<Readonly<Record<string, string>>> = {
  label: 'JSON object of texts',
  emptyIsDefault: true,
  parse(raw) {
    const entries = Object.entries(jsonObject(raw))
    for (const [name, value] of entries) {
      if (!TOKEN.test(name) || typeof value !== 'string' || !HEADER_VALUE.test(value)) {
        throw new Error(
          `must be a JSON object of header names and their texts, ${JSON.stringify(name)} is not one`,
        )
      }
    }
    return Object.fromEntries(entries)
  },
}

function jsonObject(raw: string): object {
  const mustBe = 'must be a JSON object such as {"X-Frame-Options":"DENY"}'
  let parsed: unknown
  try {
    parsed = raw === '' ? {} : JSON.parse(raw)
  } catch (error) {
    throw new Error(mustBe, { cause: error })
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new Error(mustBe)
  return parsed
}

function listOf<T>(label: string, parseItem: (item: string) => T): Kind<readonly T[]> {
  return {
    label,
    emptyIsDefault: true,
    parse(raw) {
      const line = raw.replace(/[\r\n]+$/, '')
      if (line === '') return []
      if (/[\r\n\0]/.test(line)) throw new Error('must be a list on one line')
      return splitCsvLine(line).map((item) => {
        if (item.trim() === '') throw new Error('must be a list without empty items')
        return parseItem(item)
      })
    },
  }
}
