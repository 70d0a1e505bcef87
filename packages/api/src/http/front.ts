/**
 * The look at a request that comes before every other stage: a server that only sends people
 * elsewhere, such as plain HTTP beside HTTPS, answers here. Gateway thread.
 */
import type { HeaderSource } from './header-source.ts'
import type { HttpResponse } from './types.ts'

/** What a request asks for, before anything of it is checked. */
export interface FirstLook {
  readonly method: string
  /** The Host header, '' without one. */
  readonly host: string
  /** As it was sent, with its query. */
  readonly target: string
}

/** Returns an answer, which ends the connection too, or null: then the server goes on as ever. */
export type Front = (request: FirstLook) => HttpResponse | null

interface UnreadRequest extends HeaderSource {
  getCaseSensitiveMethod(): string
  getUrl(): string
}

export function firstLook(req: UnreadRequest): FirstLook {
  const query = req.getQuery()
  return {
    method: req.getCaseSensitiveMethod(),
    host: req.getHeader('host'),
    target: req.getUrl() + (query === undefined ? '' : `?${query}`),
  }
}
