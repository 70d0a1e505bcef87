/**
 * What an offer of a WebSocket must hold, and the answers to those that do not. Main thread; after
 * the credentials, before the shard is asked.
 */
import { PushError } from '@bellwire/common'
import type { HeaderSource } from '../http/header-source.ts'
import { errorResponse } from '../http/response.ts'
import type { HttpResponse } from '../http/types.ts'

/** RFC 6455 section 4.2.1; uWebSockets.js itself looks at the key alone. */
export function handshakeProblem(req: HeaderSource): PushError | null {
  const upgrade = req.getHeader('upgrade').toLowerCase() === 'websocket'
  const connection = req
    .getHeader('connection')
    .toLowerCase()
    .split(/\s*,\s*/)
    .includes('upgrade')
  if (!upgrade || !connection) return notWebSocket()
  if (req.getHeader('sec-websocket-version') !== '13') {
    return new PushError('BAD_REQUEST', 'websocket: version 13 is the only one supported')
  }
  return null
}

/** Gotify's answer to the letter: the text of its WebSocket library, then its own. */
export function foreignOrigin(): HttpResponse {
  const error = new PushError('FORBIDDEN', 'the origin may not open the stream')
  return {
    status: 403,
    headers: [['content-type', 'text/plain; charset=utf-8']],
    body: `Forbidden\n${String(errorResponse(error).body)}`,
  }
}

export function notWebSocket(): PushError {
  return new PushError(
    'BAD_REQUEST',
    'websocket: the client is not using the websocket protocol: upgrade to websocket is missing',
  )
}

/** The id of `?after=`; null without the parameter, an error for anything but digits in it. */
export function readAfter(query: string | undefined): number | null | PushError {
  if (query?.includes('after') !== true) return null
  const text = new URLSearchParams(query).get('after')
  if (text === null) return null
  const after = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(after)) return after
  return new PushError('BAD_REQUEST', `after: "${text}" is no message id`)
}
