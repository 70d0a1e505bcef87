/**
 * The answers that management endpoints give: Gotify's JSON with its HTML escapes, or an empty
 * body. Main thread; http/ writes them to the socket and turns a thrown PushError into its answer.
 */
import { encodeJson } from '@bellwire/common'
import type { HttpResponse } from '../http/types.ts'

type Headers = NonNullable<HttpResponse['headers']>

const JSON_TYPE = ['content-type', 'application/json'] as const

export function json(value: unknown, headers: Headers = []): HttpResponse {
  return { status: 200, headers: [JSON_TYPE, ...headers], body: encodeJson(value) }
}

/** For JSON that is already text. */
export function jsonText(text: string): HttpResponse {
  return { status: 200, headers: [JSON_TYPE], body: text }
}

/** 200 without a body: what Gotify answers to a deletion. */
export function empty(headers: Headers = []): HttpResponse {
  return { status: 200, headers }
}
