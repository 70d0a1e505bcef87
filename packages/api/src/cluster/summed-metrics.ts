/**
 * GET /metrics of a member: its own metrics and those of all others, put together as each metric
 * says (sums, but the greatest delay and the worst database). Main thread of a member.
 */
import { AggregatorRegistry } from 'prom-client'
import type { ProcessMetrics } from './ipc.ts'

/** The primary leaves out who is late after one second; without a primary there is nobody to ask. */
const PATIENCE_MS = 2_000

export class SummedMetrics {
  readonly #ask: (question: number) => void
  readonly #waiting = new Map<number, (others: readonly ProcessMetrics[]) => void>()
  #last = 0

  /** @param ask sends the question to the primary */
  constructor(ask: (question: number) => void) {
    this.#ask = ask
  }

  /** The primary's answer. */
  answered(question: number, others: readonly ProcessMetrics[]): void {
    this.#waiting.get(question)?.(others)
  }

  /** Prometheus text of the sum. */
  async text(own: ProcessMetrics): Promise<string> {
    const all = [own, ...(await this.#others())]
    return AggregatorRegistry.aggregate(all.map((metrics) => [...metrics])).metrics()
  }

  async #others(): Promise<readonly ProcessMetrics[]> {
    const question = ++this.#last
    try {
      return await new Promise((resolve) => {
        const patience = setTimeout(() => resolve([]), PATIENCE_MS)
        this.#waiting.set(question, (others) => {
          clearTimeout(patience)
          resolve(others)
        })
        this.#ask(question)
      })
    } finally {
      this.#waiting.delete(question)
    }
  }
}
