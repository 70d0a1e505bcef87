/** The requests that wait for their answer, oldest first. Gateway thread. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface OpenExchange {
  /** Answers it in place of whoever is late. */
  expire(): void
}

/** How long the last requests may take when the process ends. */
const LAST_ANSWERS_MS = 5_000
const LOOK_EVERY_MS = 5

export class OpenExchanges<Kind extends OpenExchange> {
  readonly #open = new Set<Kind>()
  #leaving = false
  #ending = false

  get size(): number {
    return this.#open.size
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

  /** In order of their start. */
  all(): IterableIterator<Kind> {
    return this.#open.values()
  }

  add(exchange: Kind): void {
    this.#open.add(exchange)
  }

  delete(exchange: Kind): void {
    this.#open.delete(exchange)
  }

  /** Resolves when all are answered; whatever takes longer than 5 s is expired then. */
  async finish(): Promise<void> {
    this.#ending = true
    const end = performance.now() + LAST_ANSWERS_MS
    while (this.#open.size > 0 && performance.now() < end) await sleep(LOOK_EVERY_MS)
    for (const exchange of this.#open) exchange.expire()
  }
}
