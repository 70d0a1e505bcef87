/**
 * Requests whose length two readers could understand differently: behind a proxy that reads them
 * the other way, the rest of one request would count as the next one (request smuggling, RFC 9112
 * section 6.3). Gateway thread; before the body is read. uWebSockets.js itself refuses
 * Content-Length beside Transfer-Encoding, but believes the first of two lengths and waits for
 * ever for a transfer coding that it does not know.
 */
import { PushError } from '@bellwire/common'
import type { HttpRequest } from './types.ts'

/** The part of a request that has not been copied. */
export interface RawHeaders {
  getHeader(name: string): string
  forEach(visit: (name: string, value: string) => void): void
}

/** True if the request must be refused, by refuseAmbiguous(), and its connection closed. */
export function framingIsAmbiguous(req: RawHeaders): boolean {
  const lengths = lengthsOf(req)
  const coding = req.getHeader('transfer-encoding')
  if (coding !== '') return lengths.length > 0 || coding.toLowerCase() !== 'chunked'
  return lengths.length > 1 || lengths.some((length) => !/^\d+$/.test(length))
}

/**
 * The same for a publish. Only walking all headers shows a second length, and that costs a fifth of
 * it; a sender without a proxy before us could only fool itself, so the walk is for requests that a
 * proxy has marked.
 */
export function rawFramingIsAmbiguous(req: RawHeaders): boolean {
  const coding = req.getHeader('transfer-encoding')
  if (coding !== '') return coding.toLowerCase() !== 'chunked'
  const proxied = req.getHeader('x-forwarded-for') !== '' || req.getHeader('via') !== ''
  return proxied && lengthsOf(req).length > 1
}

/**
 * Refuses later, not at once: what came in the same piece is read as the next request as soon as
 * there is an answer, and ends the connection as long as there is none.
 */
export function refuseAmbiguous(refuse: (error: PushError) => void): void {
  const error = new PushError('BAD_REQUEST', 'the length of the body is ambiguous')
  setImmediate(() => refuse(error))
}

function lengthsOf(req: RawHeaders): readonly string[] {
  const lengths: string[] = []
  req.forEach((name, value) => {
    if (name === 'content-length') lengths.push(value)
  })
  return lengths
}

/** Bytes that the request says will follow: 0 without a body, undefined if they come in chunks. */
export function announcedBytes(headers: HttpRequest['headers']): number | undefined {
  if (headers.has('transfer-encoding')) return undefined
  return Number(headers.get('content-length') ?? 0)
}
