/**
 * Publishes that wait for their shard's answer. Main thread. Every one is settled exactly once: by
 * its answer, by the end of its worker, or by the bound in time.
 */
import { PushError, type CorrelationId } from '@bellwire/common'

/** Who waits; called once, then forgotten. */
export interface PendingReply {
  /** `frame` is read in place: valid during the call. */
  answered(frame: Uint8Array): void
  failed(error: PushError): void
}

interface Entry {
  readonly reply: PendingReply
  readonly thread: number
  readonly deadline: number
}

/** Below the 30 s in which every request is answered. */
const DEADLINE_MS = 25_000

export class PendingReplies {
  /** In the order of their deadlines, which is the order of insertion. */
  readonly #entries = new Map<number, Entry>()
  readonly #sweep: NodeJS.Timeout
  #last = 0

  constructor() {
    this.#sweep = setInterval(() => this.expire(Date.now()), 1_000)
    this.#sweep.unref()
  }

  get size(): number {
    return this.#entries.size
  }

  /** Gives the waiting publish a correlation id. */
  add(thread: number, reply: PendingReply): CorrelationId {
    do this.#last = (this.#last + 1) >>> 0
    while (this.#last === 0 || this.#entries.has(this.#last))
    this.#entries.set(this.#last, { reply, thread, deadline: Date.now() + DEADLINE_MS })
    return this.#last as CorrelationId
  }

  /** Forgets a publish that never reached its shard; the caller answers it. */
  drop(correlationId: CorrelationId): void {
    this.#entries.delete(correlationId)
  }

  answer(correlationId: number, frame: Uint8Array): void {
    this.#take(correlationId)?.answered(frame)
  }

  fail(correlationId: number, error: PushError): void {
    this.#take(correlationId)?.failed(error)
  }

  /** The worker died: nobody knows which of its publishes were stored. */
  failThread(thread: number): void {
    for (const [correlationId, entry] of this.#entries) {
      if (entry.thread !== thread) continue
      const text = 'the shard was restarted, the message may or may not be stored'
      this.fail(correlationId, new PushError('SHARD_RESTARTED', text))
    }
  }

  expire(now: number): void {
    for (const [correlationId, { deadline }] of this.#entries) {
      if (deadline > now) return
      const text = 'no answer in time, the message may or may not be stored'
      this.fail(correlationId, new PushError('OVERLOADED', text))
    }
  }

  close(): void {
    clearInterval(this.#sweep)
  }

  #take(correlationId: number): PendingReply | undefined {
    const entry = this.#entries.get(correlationId)
    if (entry === undefined) return undefined
    this.#entries.delete(correlationId)
    return entry.reply
  }
}
