/**
 * One request and its answer: makes sure that there is exactly one answer, none after an abort, and
 * one in time. Gateway thread. The server opens it, handlers never see it.
 */
import { PushError } from '@bellwire/common'
import type * as uws from 'uWebSockets.js'
import type { BodyReader } from './body.ts'
import type { HeaderList } from './cors.ts'
import type { OpenExchange } from './open-exchanges.ts'
import { errorResponse, respond } from './response.ts'
import type { HttpResponse } from './types.ts'

/** Every request is answered within this time. */
const ANSWER_WITHIN_MS = 30_000

export interface ExchangeOptions {
  readonly head: boolean
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** Called once, when the request is answered or aborted. */
  readonly onEnd: (exchange: Exchange) => void
}

/** Answers those whose time is up. */
export function expireLate(open: Iterable<Exchange>, now: number): void {
  for (const exchange of open) {
    if (exchange.startedAt <= now - ANSWER_WITHIN_MS) exchange.expire()
  }
}

/** What a sender is told whose body is still on its way: nothing was done. */
export function lateBody(): PushError {
  return new PushError('TIMEOUT', 'the request body did not arrive in time')
}

export class Exchange implements OpenExchange {
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly #res: uws.HttpResponse
  readonly #options: ExchangeOptions
  #open = true
  place = -1
  /** Headers of every answer to this request. */
  extraHeaders: HeaderList = []
  body: BodyReader | null = null
  /** The connection ends with the answer: the server drains, or the sender has asked for it. */
  closeAfter = false

  /** Must be created before the first await of the handler: it registers for the abort. */
  constructor(res: uws.HttpResponse, options: ExchangeOptions) {
    this.#res = res
    this.#options = options
    this.startedAt = options.startedAt
    res.onAborted(() => this.#end(new PushError('BAD_REQUEST', 'the request was aborted')))
  }

  get open(): boolean {
    return this.#open
  }

  /** Answers, unless that has happened or nobody is there any more. */
  respond(response: HttpResponse, close = this.closeAfter): void {
    if (!this.#open) return
    this.#open = false
    this.body?.resume()
    respond(this.#res, response, this.extraHeaders, { head: this.#options.head, close })
    this.#end(new PushError('BAD_REQUEST', 'the request was answered already'))
  }

  fail(error: PushError, close = this.closeAfter): void {
    this.respond(errorResponse(error), close)
  }

  /** Answers a request whose time is up: 408 if its sender was slow, 503 if we were. */
  expire(): void {
    const senderIsLate = this.body !== null && !this.body.complete
    const error = senderIsLate
      ? lateBody()
      : new PushError('OVERLOADED', 'the request could not be answered in time, try again')
    this.fail(error, true)
  }

  #end(reason: PushError): void {
    this.#open = false
    this.body?.release(reason)
    this.#options.onEnd(this)
  }
}
