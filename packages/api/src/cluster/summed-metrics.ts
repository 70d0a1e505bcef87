/**
 * GET /metrics of a member: its own metrics and those of all others, put together as each metric
 * says (sums, but the greatest delay and the worst database). Main thread of a member.
 */
import { PushError } from '@bellwire/common'
import { AggregatorRegistry } from 'prom-client'
import type { Metrics } from '../metrics.ts'
import type { MetricList, ProcessMetrics } from './ipc.ts'

/** The primary needs a second at most, for a member that is late. */
const PATIENCE_MS = 2_000

export class SummedMetrics {
  readonly #own: Metrics
  readonly #ask: (question: number, totals: MetricList) => void
  readonly #waiting = new Map<number, (others: readonly ProcessMetrics[]) => void>()
  #last = 0

  /** @param ask sends the question to the primary, with what this member has counted */
  constructor(own: Metrics, ask: (question: number, totals: MetricList) => void) {
    this.#own = own
    this.#ask = ask
  }

  /** The primary's answer. */
  answered(question: number, others: readonly ProcessMetrics[]): void {
    this.#waiting.get(question)?.(others)
  }

  /**
   * Prometheus text of the sum.
   * @throws {PushError} OVERLOADED without an answer of the primary: a part would pass for a fall.
   */
  async text(): Promise<string> {
    // A copy, because the primary must know all that is told: a counter goes on counting meanwhile.
    const own = structuredClone(await processMetrics(this.#own))
    const all = [own, ...(await this.#others(own.totals))]
    return AggregatorRegistry.aggregate(
      all.map(({ totals, gauges }) => [...totals, ...gauges]),
    ).metrics()
  }

  async #others(totals: MetricList): Promise<readonly ProcessMetrics[]> {
    const question = ++this.#last
    try {
      return await new Promise((resolve, reject) => {
        const patience = setTimeout(() => {
          reject(new PushError('OVERLOADED', 'the primary of the cluster does not answer'))
        }, PATIENCE_MS)
        this.#waiting.set(question, (others) => {
          clearTimeout(patience)
          resolve(others)
        })
        this.#ask(question, totals)
      })
    } finally {
      this.#waiting.delete(question)
    }
  }
}

export async function processMetrics(metrics: Metrics): Promise<ProcessMetrics> {
  return { totals: await metrics.totals(), gauges: await metrics.gauges() }
}
