/** The requests that wait for their answer, oldest first, and the clock over them. Gateway thread. */
import type { Clock } from '@bellwire/common'
import { setTimeout as sleep } from 'node:timers/promises'
import { ANSWER_WITHIN_MS, type Exchange } from './exchange.ts'

const SWEEP_EVERY_MS = 1000
/** While the process ends. */
const LOOK_EVERY_MS = 5

export class OpenExchanges {
  /** In order of their start, so a sweep looks at the late ones only. */
  readonly #open = new Set<Exchange>()
  readonly #clock: Clock
  readonly #timer: NodeJS.Timeout

  constructor(clock: Clock) {
    this.#clock = clock
    this.#timer = setInterval(() => this.sweep(), SWEEP_EVERY_MS)
    this.#timer.unref()
  }

  get size(): number {
    return this.#open.size
  }

  add(exchange: Exchange): void {
    this.#open.add(exchange)
  }

  delete(exchange: Exchange): void {
    this.#open.delete(exchange)
  }

  /** Answers every request whose time is up. */
  sweep(): void {
    const limit = this.#clock.now() - ANSWER_WITHIN_MS
    for (const exchange of this.#open) {
      if (exchange.startedAt > limit) return
      exchange.expire()
    }
  }

  /** Ends the clock; resolves when all are answered, by us those that take longer than that. */
  async close(withinMs: number): Promise<void> {
    clearInterval(this.#timer)
    const end = performance.now() + withinMs
    while (this.#open.size > 0 && performance.now() < end) await sleep(LOOK_EVERY_MS)
    for (const exchange of this.#open) exchange.expire()
  }
}
