/**
 * Bounds how many streams are opened in a second, so that ten thousand clients that come back at
 * once cost the database a steady stream of look-ups and not a flood. Main thread; in front of the
 * stream endpoint.
 */
import { PushError } from '@bellwire/common'
import type { StreamEndpoint } from '../http/stream-route.ts'
import { errorResponse, respond } from '../http/response.ts'

/** Whoever is refused comes back after 1 s to this many seconds: spread out, not as the next wave. */
const LONGEST_RETRY_SECONDS = 10

/** A bucket that holds what one second admits. */
export class ConnectRate {
  readonly #perSecond: number
  readonly #now: () => number
  #room: number
  #filledAt: number

  /** @param now milliseconds of a clock that never goes back */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond
    this.#now = now
    this.#room = perSecond
    this.#filledAt = now()
  }

  /** Takes one connect; false when there were too many lately. */
  admits(): boolean {
    const now = this.#now()
    const earned = ((now - this.#filledAt) / 1_000) * this.#perSecond
    this.#room = Math.min(this.#perSecond, this.#room + earned)
    this.#filledAt = now
    if (this.#room < 1) return false
    this.#room--
    return true
  }
}

/** @param perSecond 0 for no limit */
export function limitConnects<Connection>(
  endpoint: StreamEndpoint<Connection>,
  perSecond: number,
): StreamEndpoint<Connection> {
  if (perSecond === 0) return endpoint
  const rate = new ConnectRate(perSecond)
  const { behavior } = endpoint
  return {
    behavior: {
      ...behavior,
      upgrade: (res, req, context) => {
        if (rate.admits()) return behavior.upgrade?.(res, req, context)
        const error = new PushError('OVERLOADED', 'too many connects at once, try again')
        const seconds = 1 + Math.floor(Math.random() * LONGEST_RETRY_SECONDS)
        const { headers = [], ...answer } = errorResponse(error)
        const others = headers.filter(([name]) => name !== 'retry-after')
        const retry = ['retry-after', String(seconds)] as const
        respond(res, { ...answer, headers: [...others, retry] }, [], { close: true })
      },
    },
    refusePlain: (res, req) => endpoint.refusePlain(res, req),
  }
}
