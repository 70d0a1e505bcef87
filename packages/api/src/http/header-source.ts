/**
 * What reading credentials and origins needs of a request: the part of uWebSockets.js' HttpRequest
 * that the hot paths use directly, and the same view of a copied request. Gateway thread.
 */
import type { HeaderList } from './cors.ts'
import type { HttpRequest } from './types.ts'

export interface HeaderSource {
  /** The value of the first header line of this lower-case name, '' without one. */
  getHeader(name: string): string
  /** The query without the question mark; undefined or '' without one. */
  getQuery(): string | undefined
}

export function headerSource(request: HttpRequest): HeaderSource {
  return {
    getHeader: (name) => request.headers.get(name) ?? '',
    getQuery: () => request.query,
  }
}

const CLOSES: HeaderList = [['connection', 'close']]
const NOTHING: HeaderList = []

/**
 * What the answer says to a request with `Connection: close`. uWebSockets.js ends that connection
 * but doesn't say so; where we end one ourselves it does. It takes any value of this length for it.
 */
export function closing(connection: string): HeaderList {
  return connection.length === 'close'.length ? CLOSES : NOTHING
}

/** uWebSockets.js overlooks it among others, as in Perl's "TE, close": the answer has to end the connection. */
export function listsClose(connection: string): boolean {
  return connection.length > 'close'.length && /(?:^|,)\s*close\s*(?:,|$)/i.test(connection)
}

/**
 * Returns the first value of a query parameter, decoded as a form is; '' if it is absent.
 * Works on the text, because most requests have no query or a short one.
 */
export function queryValue(query: string | undefined, name: string): string {
  if (query === undefined || query === '' || !query.includes(name)) return ''
  return new URLSearchParams(query).get(name) ?? ''
}
