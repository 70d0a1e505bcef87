/**
 * What reading credentials and origins needs of a request: the part of uWebSockets.js' HttpRequest
 * that the hot paths use directly, and the same view of a copied request. Gateway thread.
 */
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

/** uWebSockets.js says it where we end a connection, but not where its sender has asked for that. */
export const CLOSES = ['connection', 'close'] as const

export function asksToClose(headers: Pick<HeaderSource, 'getHeader'>): boolean {
  return headers.getHeader('connection').toLowerCase() === 'close'
}

/**
 * Returns the first value of a query parameter, decoded as a form is; '' if it is absent.
 * Works on the text, because most requests have no query or a short one.
 */
export function queryValue(query: string | undefined, name: string): string {
  if (query === undefined || query === '' || !query.includes(name)) return ''
  return new URLSearchParams(query).get(name) ?? ''
}
