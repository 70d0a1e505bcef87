/**
 * Tells "the database is away" (callers are answered 503 and may try again) from every other
 * failure. The one place that knows SQLSTATEs, socket errors and the wording of `pg`.
 */
import { PushError } from '../errors.ts'

/** Errors of sockets and name look-ups (Node's `error.code`); ENOENT is a unix socket that is not there. */
const SOCKET_CODES: ReadonlySet<string> = new Set([
  'EACCES',
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
])

/** Whole classes of SQLSTATE: connection exception, invalid authorization, insufficient resources, system error. */
const SQLSTATE_CLASSES: ReadonlySet<string> = new Set(['08', '28', '53', '58'])

/** Single SQLSTATEs (PostgreSQL manual, appendix A). */
const SQLSTATES: ReadonlySet<string> = new Set([
  '25006', // read_only_sql_transaction: a standby took over the address
  '3D000', // invalid_catalog_name
  '55P03', // lock_not_available
  '57014', // query_canceled: the statement's time was up
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
])

/** Failures that `pg` and `pg-pool` 8.x, and Kysely 0.28, report by their text alone. */
const PG_TEXTS: readonly RegExp[] = [
  /^Connection terminated/,
  /^timeout exceeded when trying to connect/,
  /^timeout expired/,
  /^Query read timeout/,
  /is not queryable$/,
  /^Cannot use a pool after calling end/,
  /^driver has already been destroyed/,
  /^The server does not support SSL connections/,
]

/** What the database lacks, as callers are told (SQLSTATE class 53); waiting alone does not help. */
const SHORTAGES: ReadonlyMap<unknown, string> = new Map([
  ['53000', 'the database has no resources left'],
  ['53100', 'the database has no room left'],
  ['53200', 'the database has no memory left'],
])

/** A quota, or a file system that reports a full disk as another fault. */
const NO_ROOM = /No space left on device|Disk quota exceeded/

/** True when the same query may succeed later because the database, not the query, was at fault. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  if (typeof code === 'string') {
    return SOCKET_CODES.has(code) || SQLSTATES.has(code) || isUnavailableClass(code)
  }
  return PG_TEXTS.some((text) => text.test(error.message))
}

/**
 * What the database has run out of, in words for the caller, null for every other failure. Nothing
 * of the statement was stored. The session goes on, unless {@link endsSession} says otherwise.
 */
export function shortageOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  const known = SHORTAGES.get(error.code)
  if (known !== undefined) return known
  return error.code === '58030' && NO_ROOM.test(error.message)
    ? 'the database has no room left'
    : null
}

/** True for a failure after which PostgreSQL closes the connection. */
export function endsSession(error: unknown): boolean {
  const severity = error instanceof Error && 'severity' in error ? error.severity : undefined
  return severity === 'FATAL' || severity === 'PANIC'
}

/**
 * For `catch (error) { throw toPushError(error) }` around queries: DATABASE_UNAVAILABLE for a
 * database that is away, any other error as it came.
 */
export function toPushError(error: unknown): Error {
  if (error instanceof PushError) return error
  if (isUnavailable(error)) {
    const text = shortageOf(error) ?? 'The database is not available, try again'
    return new PushError('DATABASE_UNAVAILABLE', text, { cause: error })
  }
  return error instanceof Error ? error : new Error(String(error))
}

function isUnavailableClass(code: string): boolean {
  return code.length === 5 && SQLSTATE_CLASSES.has(code.slice(0, 2))
}
