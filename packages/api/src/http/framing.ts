/**
 * Requests whose length two readers could understand differently: behind a proxy that reads them
 * the other way, the rest of one request would count as the next one (request smuggling, RFC 9112
 * section 6.3). Gateway thread; before the body is read. uWebSockets.js itself refuses
 * Content-Length beside Transfer-Encoding, but believes the first of two lengths and waits for
 * ever for a transfer coding that it does not know.
 */
import type { HttpRequest } from './types.ts'

/** True if the request must be answered 400 and its connection closed. */
export function framingIsAmbiguous(headers: HttpRequest['headers']): boolean {
  const length = headers.get('content-length')
  const coding = headers.get('transfer-encoding')
  if (coding !== undefined) return length !== undefined || coding.toLowerCase() !== 'chunked'
  return length !== undefined && !/^\d+$/.test(length)
}

/** The part of a request that has not been copied. */
export interface RawHeaders {
  getHeader(name: string): string
  forEach(visit: (name: string, value: string) => void): void
}

/**
 * The same for a request that has not been copied. Only walking all headers shows a second length,
 * and that costs a fifth of a publish; a sender without a proxy before us could only fool itself,
 * so the walk is for requests that a proxy has marked.
 */
export function rawFramingIsAmbiguous(req: RawHeaders): boolean {
  const coding = req.getHeader('transfer-encoding')
  if (coding !== '') return coding.toLowerCase() !== 'chunked'
  const proxied = req.getHeader('x-forwarded-for') !== '' || req.getHeader('via') !== ''
  return proxied && countLengths(req) > 1
}

function countLengths(req: RawHeaders): number {
  let lengths = 0
  req.forEach((name) => {
    if (name === 'content-length') lengths++
  })
  return lengths
}

/** Bytes that the request says will follow: 0 without a body, undefined if they come in chunks. */
export function announcedBytes(headers: HttpRequest['headers']): number | undefined {
  if (headers.has('transfer-encoding')) return undefined
  return Number(headers.get('content-length') ?? 0)
}
