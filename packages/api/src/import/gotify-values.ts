/**
 * Values of a Gotify database as Bellwire keeps them. The same column comes as a number, a bigint, a
 * text or bytes, as the database and the version have it. Pure.
 */
import { isInCalendar } from '../calendar.ts'
import { type GotifyRow, type GotifyTable } from './gotify-source.ts'
import { ImportError } from './import-error.ts'

/**
 * Go's forms of a time in SQLite: with or without T, fraction and zone, some with the name of the
 * zone behind it. Hour 24, which Date.parse() takes, is none of RFC 3339.
 */
const TIME =
  /^(\d{4}-\d\d-\d\d)[ T]((?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d+)?)(?: ?(?:Z|([+-]\d\d)(?::?(\d\d))?)(?: .*)?)?$/

/** With head-room below 2^53, so that ids can go on from there and stay exact. */
const MAX_ID = 2 ** 52

/** RFC 3339 has years of four digits, and times are shown in UTC. */
const FIRST_TIME = Date.parse('0000-01-01T00:00:00.000Z')
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z')

/** @throws {ImportError} when it is no id, which only a damaged database has, or one that is too great */
export function idIn(table: GotifyTable, row: GotifyRow, column = 'id'): number {
  const id = Number(row[column])
  requireRoom(table, id)
  if (Number.isSafeInteger(id) && id > 0) return id
  throw new ImportError(
    `The database is damaged: a row of "${table}" has ${textOf(row[column]) || 'nothing'} as "${column}"`,
  )
}

/** @throws {ImportError} when ids could not go on above this one */
export function requireRoom(table: GotifyTable, id: number): void {
  if (id > MAX_ID) {
    throw new ImportError(
      `The ids of "${table}" go up to ${id}, and Bellwire needs them up to ${MAX_ID}`,
    )
  }
}

/** '' for NULL. PostgreSQL has no NUL character, so U+FFFD stands for one. */
export function textOf(value: unknown): string {
  return decode(value).replaceAll('\0', '\ufffd')
}

function decode(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString()
  return ''
}

/** 0 for NULL; what is beyond 2^53 becomes the nearest number that JavaScript can hold. */
export function numberOf(value: unknown): number {
  const number = Math.trunc(Number(value ?? 0))
  if (Number.isNaN(number)) return 0
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(Number.MIN_SAFE_INTEGER, number))
}

export function booleanOf(value: unknown): boolean {
  return value === true || Number(value) === 1
}

/**
 * Milliseconds since 1970; null for NULL, and for what is no time or none of the years 0 to 9999 in
 * UTC. A time without a zone is UTC.
 */
export function millisOf(value: unknown): number | null {
  if (value instanceof Date) return inRange(value.getTime())
  const [, day, time, hours, minutes = '00'] = TIME.exec(textOf(value)) ?? []
  if (day === undefined || time === undefined || !isInCalendar(day)) return null
  const zone = hours === undefined ? 'Z' : `${hours}:${minutes}`
  return inRange(Date.parse(`${day}T${time}${zone}`))
}

/** The JSON text of a message's extras, as it is; null for none and for what is no JSON object. */
export function extrasOf(value: unknown): string | null {
  const text = textOf(value)
  try {
    const extras: unknown = JSON.parse(text)
    const isObject = typeof extras === 'object' && extras !== null && !Array.isArray(extras)
    return isObject && Object.keys(extras).length > 0 ? text : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function inRange(millis: number): number | null {
  return millis >= FIRST_TIME && millis <= LAST_TIME ? millis : null
}
