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

/** The same for a request that has not been copied; walks its headers once. */
export function rawFramingIsAmbiguous(req: {
  forEach(visit: (name: string, value: string) => void): void
}): boolean {
  let lengths = 0
  let codings = 0
  let odd = false
  req.forEach((name, value) => {
    if (name === 'content-length') {
      lengths++
      odd ||= !/^\d+$/.test(value)
    } else if (name === 'transfer-encoding') {
      codings++
      odd ||= value.toLowerCase() !== 'chunked'
    }
  })
  return odd || lengths + codings > 1
}

/** Bytes that the request says will follow: 0 without a body, undefined if they come in chunks. */
export function announcedBytes(headers: HttpRequest['headers']): number | undefined {
  if (headers.has('transfer-encoding')) return undefined
  return Number(headers.get('content-length') ?? 0)
}
