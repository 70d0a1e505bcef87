/**
 * One publish between its request and its answer. Gateway thread. It answers exactly once and
 * never after an abort; the answer is the frame of the message, byte for byte, without the line
 * feed.
 */
import { PushError } from '@bellwire/common'
import type * as uws from 'uWebSockets.js'
import type { PendingReply } from '../shards/pending-replies.ts'
import type { HeaderList } from './cors.ts'
import { lateBody } from './exchange.ts'
import type { OpenExchange, OpenExchanges } from './open-exchanges.ts'
import { respond, respondError } from './response.ts'
import type { HttpResponse } from './types.ts'

/** Told of every answer. */
export type PublishListener = (status: number, milliseconds: number) => void

/** How far it has come: the body comes in, the sender is looked up, the shard has it. */
export type PublishStage = 'reading' | 'looking-up' | 'submitted'

export class PublishExchange implements PendingReply, OpenExchange {
  readonly #res: uws.HttpResponse
  #headers: HeaderList
  readonly #onAnswer: PublishListener
  readonly #allOpen: OpenExchanges<PublishExchange>
  readonly #startedAt = performance.now()
  #open = true
  place = -1
  stage: PublishStage = 'reading'
  /** Drops what has come of the body, when the exchange ends before the rest. */
  dropBody: (() => void) | null = null
  /** Set when the sender wants its connection to end with the answer. */
  closeAfter = false

  /** Must be made before the handler returns or awaits: it registers for the abort. */
  constructor(
    res: uws.HttpResponse,
    headers: HeaderList,
    onAnswer: PublishListener,
    allOpen: OpenExchanges<PublishExchange>,
  ) {
    this.#res = res
    this.#headers = headers
    this.#onAnswer = onAnswer
    this.#allOpen = allOpen
    allOpen.add(this)
    res.onAborted(() => this.#end())
  }

  get open(): boolean {
    return this.#open
  }

  /** Puts a header into the answer to come, whichever it is. */
  addHeader(header: HeaderList[number]): void {
    this.#headers = [...this.#headers, header]
  }

  answered(frame: Uint8Array): void {
    if (!this.#open) return
    this.#end()
    const res = this.#res
    res.cork(() => {
      for (const [name, value] of this.#headers) res.writeHeader(name, value)
      res.writeHeader('content-type', 'application/json')
      res.end(frame.subarray(0, frame.length - 1), this.#lastAnswer)
    })
    this.#onAnswer(200, performance.now() - this.#startedAt)
  }

  failed(error: PushError): void {
    this.fail(error, false)
  }

  /** @param close ends the connection too: what follows on it cannot be trusted or will not be read. */
  fail(error: PushError, close: boolean): void {
    if (!this.#open) return
    this.#end()
    respondError(this.#res, error, this.#headers, { close: close || this.#lastAnswer })
    this.#onAnswer(error.httpStatus, performance.now() - this.#startedAt)
  }

  respond(response: HttpResponse): void {
    if (!this.#open) return
    this.#end()
    respond(this.#res, response, this.#headers, { close: true })
    this.#onAnswer(response.status, performance.now() - this.#startedAt)
  }

  /** Nobody waits longer for it: the process ends. */
  expire(): void {
    this.fail(this.stage === 'reading' ? lateBody() : this.#endOfServer(), true)
  }

  get #lastAnswer(): boolean {
    return this.closeAfter || this.#allOpen.leaving
  }

  #endOfServer(): PushError {
    const fate =
      this.stage === 'submitted' ? 'the message may or may not be stored' : 'nothing was stored'
    return new PushError('SHUTTING_DOWN', `the server is shutting down, ${fate}`)
  }

  #end(): void {
    this.#open = false
    this.#allOpen.delete(this)
    if (this.stage === 'reading') this.dropBody?.()
  }
}
