/**
 * Publishes that wait for their shard's answer. Main thread. Every one is settled exactly once: by
 * its answer, by the end of its worker, or by the bound in time.
 *
 * No Map: one that loses as many entries as it gets is copied all the time, and V8 lets the copy
 * before point to the copy after it. Once one of them is old, every scavenge keeps all later ones
 * and the entries they hold.
 */
import { PushError, type CorrelationId } from '@bellwire/common'

/** Who waits; called once, then forgotten. */
export interface PendingReply {
  /** `frame` is read in place: valid during the call. */
  answered(frame: Uint8Array): void
  failed(error: PushError): void
}

interface Entry {
  readonly correlationId: CorrelationId
  readonly reply: PendingReply
  readonly thread: number
  readonly deadline: number
}

/** At first. */
const PLACES = 1_024
/** Below the 30 s in which every request is answered. */
const DEADLINE_MS = 25_000

export class PendingReplies {
  /** By the low bits of their ids; a power of two of them, and never more than half of them full. */
  #places: (Entry | null)[] = new Array<null>(PLACES).fill(null)
  #size = 0
  readonly #sweep: NodeJS.Timeout
  #last = 0

  constructor() {
    this.#sweep = setInterval(() => this.expire(Date.now()), 1_000)
    this.#sweep.unref()
  }

  get size(): number {
    return this.#size
  }

  /** Gives the waiting publish a correlation id. */
  add(thread: number, reply: PendingReply): CorrelationId {
    if (this.#size >= this.#places.length / 2) this.#grow()
    do this.#last = (this.#last + 1) >>> 0
    while (this.#last === 0 || this.#places[this.#placeOf(this.#last)] !== null)
    const correlationId = this.#last as CorrelationId
    const entry = { correlationId, reply, thread, deadline: Date.now() + DEADLINE_MS }
    this.#places[this.#placeOf(correlationId)] = entry
    this.#size++
    return correlationId
  }

  /** Forgets a publish that never reached its shard; the caller answers it. */
  drop(correlationId: CorrelationId): void {
    this.#take(correlationId)
  }

  answer(correlationId: number, frame: Uint8Array): void {
    this.#take(correlationId)?.answered(frame)
  }

  fail(correlationId: number, error: PushError): void {
    this.#take(correlationId)?.failed(error)
  }

  /** The worker died: nobody knows which of its publishes were stored. */
  failThread(thread: number): void {
    for (const entry of this.#places) {
      if (entry?.thread !== thread) continue
      const text = 'the shard was restarted, the message may or may not be stored'
      this.fail(entry.correlationId, new PushError('SHARD_RESTARTED', text))
    }
  }

  expire(now: number): void {
    for (const entry of this.#places) {
      if (entry === null || entry.deadline > now) continue
      const text = 'no answer in time, the message may or may not be stored'
      this.fail(entry.correlationId, new PushError('OVERLOADED', text))
    }
  }

  close(): void {
    clearInterval(this.#sweep)
  }

  #take(correlationId: number): PendingReply | undefined {
    const place = this.#placeOf(correlationId)
    const entry = this.#places[place]
    if (entry?.correlationId !== correlationId) return undefined
    this.#places[place] = null
    this.#size--
    return entry.reply
  }

  #placeOf(correlationId: number): number {
    return correlationId & (this.#places.length - 1)
  }

  /** Ids that have places of their own keep them apart: more of their bits count. */
  #grow(): void {
    const entries = this.#places
    this.#places = new Array<null>(entries.length * 2).fill(null)
    for (const entry of entries) {
      if (entry !== null) this.#places[this.#placeOf(entry.correlationId)] = entry
    }
  }
}
