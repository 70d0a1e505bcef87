/** The requests that wait for their answer, oldest first. Gateway thread. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface OpenExchange {
  /** Milliseconds, of the clock that expireBefore() is asked with. */
  readonly startedAt: number
  /** Answers it in place of whoever is late. */
  expire(): void
}

/** How long the last requests may take when the process ends. */
const LAST_ANSWERS_MS = 5_000
const LOOK_EVERY_MS = 5

export class OpenExchanges {
  /** In order of their start, so a look at the late ones ends at the first that is not. */
  readonly #open = new Set<OpenExchange>()
  #ending = false

  get size(): number {
    return this.#open.size
  }

  /** True once the process ends: what comes now is refused. */
  get ending(): boolean {
    return this.#ending
  }

  add(exchange: OpenExchange): void {
    this.#open.add(exchange)
  }

  delete(exchange: OpenExchange): void {
    this.#open.delete(exchange)
  }

  /** Answers every request that is older. */
  expireBefore(time: number): void {
    for (const exchange of this.#open) {
      if (exchange.startedAt > time) return
      exchange.expire()
    }
  }

  /** Resolves when all are answered; whatever takes longer than 5 s is expired then. */
  async finish(): Promise<void> {
    this.#ending = true
    const end = performance.now() + LAST_ANSWERS_MS
    while (this.#open.size > 0 && performance.now() < end) await sleep(LOOK_EVERY_MS)
    this.expireBefore(Infinity)
  }
}
