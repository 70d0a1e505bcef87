/**
 * Requests whose length two readers could understand differently: behind a proxy that reads them
 * the other way, the rest of one request would count as the next one (request smuggling, RFC 9112
 * section 6.3). Gateway thread; before the body is read. uWebSockets.js itself refuses
 * Content-Length beside Transfer-Encoding, but believes the first of two lengths and waits for
 * ever for a transfer coding that it does not know.
 */
import { PushError } from '@bellwire/common'
import type { HttpRequest } from './types.ts'

/** Every line of the two headers that say how long a body is. */
export interface Framing {
  readonly lengths: readonly string[]
  readonly codings: readonly string[]
}

/** The part of a request that has not been copied. */
export interface RawHeaders {
  forEach(visit: (name: string, value: string) => void): void
}

export function framingOf(req: RawHeaders): Framing {
  const lengths: string[] = []
  const codings: string[] = []
  req.forEach((name, value) => {
    if (name === 'content-length') lengths.push(value)
    else if (name === 'transfer-encoding') codings.push(value)
  })
  return { lengths, codings }
}

/** True if the request must be refused, by refuseAmbiguous(), and its connection closed. */
export function framingIsAmbiguous({ lengths, codings }: Framing): boolean {
  const [coding] = codings
  if (coding === undefined) return lengths.length > 1 || lengths.some((text) => !/^\d+$/.test(text))
  return codings.length > 1 || lengths.length > 0 || coding.toLowerCase() !== 'chunked'
}

/**
 * Refuses later, not at once: what came in the same piece is read as the next request as soon as
 * there is an answer, and ends the connection as long as there is none.
 */
export function refuseAmbiguous(refuse: (error: PushError) => void): void {
  const error = new PushError('BAD_REQUEST', 'the length of the body is ambiguous')
  setImmediate(() => refuse(error))
}

/** Bytes that the request says will follow: 0 without a body, undefined if they come in chunks. */
export function announcedBytes(headers: HttpRequest['headers']): number | undefined {
  if (headers.has('transfer-encoding')) return undefined
  return Number(headers.get('content-length') ?? 0)
}
