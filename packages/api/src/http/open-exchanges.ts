/**
 * The requests that wait for their answer. Gateway thread. An array and no Set, for the reason that
 * stands in shards/pending-replies.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises'

export interface OpenExchange {
  /** Its index among the open ones, kept here; -1 before and after. */
  place: number
  /** Answers it in place of whoever is late. */
  expire(): void
}

/** How long the last requests may take when the process ends. */
const LAST_ANSWERS_MS = 5_000
const LOOK_EVERY_MS = 5

export class OpenExchanges<Kind extends OpenExchange> {
  readonly #open: Kind[] = []
  #leaving = false
  #ending = false

  get size(): number {
    return this.#open.length
  }

  /** True when answers end their connections, so that their senders go on elsewhere. */
  get leaving(): boolean {
    return this.#leaving
  }

  leave(): void {
    this.#leaving = true
  }

  /** True once the process ends: what comes now is refused. */
  get ending(): boolean {
    return this.#ending
  }

  /** As they are now, in no order. */
  all(): readonly Kind[] {
    return [...this.#open]
  }

  add(exchange: Kind): void {
    exchange.place = this.#open.push(exchange) - 1
  }

  delete(exchange: Kind): void {
    const { place } = exchange
    if (place === -1) return
    exchange.place = -1
    const last = this.#open.pop()
    if (last === undefined || last === exchange) return
    this.#open[place] = last
    last.place = place
  }

  /** Resolves when all are answered; whatever takes longer than 5 s is expired then. */
  async finish(): Promise<void> {
    this.#ending = true
    const end = performance.now() + LAST_ANSWERS_MS
    while (this.#open.length > 0 && performance.now() < end) await sleep(LOOK_EVERY_MS)
    for (const exchange of this.all()) exchange.expire()
  }
}
