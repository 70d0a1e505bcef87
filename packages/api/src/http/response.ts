/**
 * Writes answers to uWebSockets.js sockets, errors in Gotify's shape among them. Gateway thread;
 * the last stage of every request. The caller makes sure that the request was not aborted.
 */
import { STATUS_CODES } from 'node:http'
import { ERROR_TABLE, PushError } from '@bellwire/common'
import type * as uws from 'uWebSockets.js'
import type { HeaderList } from './cors.ts'
import type { HttpResponse } from './types.ts'

export interface WriteOptions {
  /** True for HEAD: the length of the body is told, the body is not sent. */
  readonly head?: boolean
  /** Ends the connection after the answer. */
  readonly close?: boolean
}

const NO_HEADERS: HeaderList = []
const NOTHING = new Uint8Array()
const JSON_TYPE = ['content-type', 'application/json'] as const
/** Seconds after which trying again makes sense, by status. */
const RETRY_AFTER: ReadonlyMap<number, string> = new Map([
  [429, '5'],
  [503, '1'],
])
const BODYLESS = new Set([204, 304])

/**
 * Writes a whole answer in one go. Must not be called after an abort or a first answer: then
 * uWebSockets.js throws.
 * @param extra headers that come before those of the answer
 */
export function respond(
  res: uws.HttpResponse,
  response: HttpResponse,
  extra: HeaderList = NO_HEADERS,
  options: WriteOptions = {},
): void {
  res.cork(() => {
    res.writeStatus(`${response.status} ${STATUS_CODES[response.status] ?? ''}`)
    for (const [name, value] of extra) res.writeHeader(name, value)
    for (const [name, value] of response.headers ?? NO_HEADERS) res.writeHeader(name, value)
    const close = options.close ?? false
    const bodyless = BODYLESS.has(response.status)
    if (!bodyless && options.head !== true) {
      res.end(bytesOf(response.body), close)
      return
    }
    if (!bodyless) res.writeHeader('Content-Length', String(byteLength(response.body)))
    // Only the sender can end this connection: with any argument endWithoutBody() writes a length
    // of its own and leaves the request pending.
    if (close) res.writeHeader('Connection', 'close')
    res.endWithoutBody()
  })
}

/** Writes an error in Gotify's shape, with Retry-After where trying again makes sense. */
export function respondError(
  res: uws.HttpResponse,
  error: PushError,
  extra: HeaderList = NO_HEADERS,
  options: WriteOptions = {},
): void {
  respond(res, errorResponse(error), extra, options)
}

export function errorResponse(error: PushError): HttpResponse {
  const status = ERROR_TABLE[error.code].httpStatus
  const retryAfter = RETRY_AFTER.get(status)
  const body = {
    error: STATUS_CODES[status],
    errorCode: status,
    errorDescription: error.message,
  }
  return {
    status,
    headers: retryAfter === undefined ? [JSON_TYPE] : [JSON_TYPE, ['retry-after', retryAfter]],
    body: JSON.stringify(body),
  }
}

/** The 404 of unknown paths and methods. */
export function pageNotFound(): PushError {
  return new PushError('NOT_FOUND', 'page not found')
}

/**
 * Gives up on a request whose handler failed somewhere: closes its connection, whatever was written
 * so far. A request that was answered, aborted or upgraded is left alone.
 */
export function endAbruptly(res: uws.HttpResponse): void {
  try {
    res.close()
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('must not be accessed'))) throw error
  }
}

/** Newer builds of uWebSockets.js send a string of Latin-1 characters as Latin-1, not as UTF-8. */
function bytesOf(body: HttpResponse['body']): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : (body ?? NOTHING)
}

function byteLength(body: HttpResponse['body']): number {
  return body === undefined ? 0 : Buffer.byteLength(body)
}
