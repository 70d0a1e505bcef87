/**
 * The paging of message lists: which messages a request asks for and how the answer points to the
 * next page. `since` goes back in time (Gotify: ids below it), `after` forward (Bellwire: ids above
 * it, oldest first). Pure; message-routes.ts runs the query.
 */
import { isInCalendar } from '../calendar.ts'
import { bindQuery } from './body-binding.ts'
import { type Field, integer, invalid } from './fields.ts'
import { parseUint64 } from './uint64.ts'

export interface PageRequest {
  readonly limit: number
  /** Ids below it only; 0 for all. */
  readonly since: number
  /** Ids above it only, oldest first; null for newest first. */
  readonly after: number | null
  /** Not before, milliseconds since 1970; null for no bound. */
  readonly from: number | null
  /** Before, milliseconds since 1970; null for no bound. */
  readonly to: number | null
}

const QUERY_FIELDS = {
  limit: { ...integer({ min: 1, max: 200 }), absent: 100 },
  since: unsigned(0),
  after: unsigned(null),
  from: date(),
  to: date(),
}

/** @throws PushError BAD_REQUEST */
export function readPageRequest(query: string): PageRequest {
  return bindQuery(query, QUERY_FIELDS)
}

/**
 * Builds the `paging` object; without `next` on the last page, because clients look for the key.
 * @param lastId id of the last message of this page, null when no message is left behind it
 */
export function describePage(
  path: string,
  page: PageRequest,
  size: number,
  lastId: number | null,
): object {
  if (lastId === null) return { size, since: 0, limit: page.limit }
  const query = new URLSearchParams()
  if (page.after !== null) query.set('after', String(lastId))
  if (page.from !== null) query.set('from', new Date(page.from).toISOString())
  query.set('limit', String(page.limit))
  const since = page.after === null ? lastId : page.since
  if (since > 0) query.set('since', String(since))
  if (page.to !== null) query.set('to', new Date(page.to).toISOString())
  return { next: `${path}?${query.toString()}`, size, since, limit: page.limit }
}

/** An unsigned 64-bit number; no id lies above the safe integers, so greater ones become the last. */
function unsigned<T extends number | null>(absent: T): Field<number | T> {
  return {
    absent,
    required: false,
    fromJson: (value, name) => integer().fromJson(value, name),
    fromForm(value, name) {
      if (value === '') return 0
      const number = parseUint64(value)
      if (number === null) throw invalid(name, 'must be a whole number from 0 to 2^64 - 1')
      return Math.min(Number(number), Number.MAX_SAFE_INTEGER)
    },
  }
}

/** A day alone begins at midnight, UTC. */
const DATE = /^\d{4}-\d\d-\d\d$/
const RFC_3339 = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

function date(): Field<number | null> {
  function parse(value: string, name: string): number | null {
    if (value === '') return null
    // A plus that nobody percent-encoded reaches us as a blank.
    const text = value
      .replace(/ (?=\d\d:\d\d$)/, '+')
      .replace(' ', 'T')
      .toUpperCase()
    const time = DATE.test(text) || RFC_3339.test(text) ? Date.parse(text) : NaN
    if (Number.isNaN(time) || !isInCalendar(text.slice(0, '2026-01-31'.length))) {
      throw invalid(name, 'must be a date such as 2026-01-31 or 2026-01-31T12:00:00Z')
    }
    return time
  }
  return {
    absent: null,
    required: false,
    fromJson: (value, name) => parse(String(value), name),
    fromForm: parse,
  }
}
