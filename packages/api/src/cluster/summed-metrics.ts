/**
 * GET /metrics of a member: its own metrics and those of all others, put together as each metric
 * says (sums, but the greatest delay and the worst database). Main thread of a member.
 */
import { PushError } from '@bellwire/common'
import { AggregatorRegistry } from 'prom-client'
import type { Metrics } from '../metrics.ts'
import type { MetricList, ProcessMetrics } from './ipc.ts'
import { Questions } from './questions.ts'

export class SummedMetrics {
  readonly #own: Metrics
  readonly #ask: (question: number, totals: MetricList) => void
  readonly #questions = new Questions<readonly ProcessMetrics[]>()

  /** @param ask sends the question to the primary, with what this member has counted */
  constructor(own: Metrics, ask: (question: number, totals: MetricList) => void) {
    this.#own = own
    this.#ask = ask
  }

  /** The primary's answer. */
  answered(question: number, others: readonly ProcessMetrics[]): void {
    this.#questions.answered(question, others)
  }

  /**
   * Prometheus text of the sum.
   * @throws {PushError} OVERLOADED without an answer of the primary: a part would pass for a fall.
   */
  async text(): Promise<string> {
    // A copy, because the primary must know all that is told: a counter goes on counting meanwhile.
    const own = structuredClone(await processMetrics(this.#own))
    const others = await this.#questions.ask((question) => this.#ask(question, own.totals))
    if (others === null) {
      throw new PushError('OVERLOADED', 'the primary of the cluster does not answer')
    }
    const all = [own, ...others]
    return AggregatorRegistry.aggregate(
      all.map(({ totals, gauges }) => [...totals, ...gauges]),
    ).metrics()
  }
}

export async function processMetrics(metrics: Metrics): Promise<ProcessMetrics> {
  return { totals: await metrics.totals(), gauges: await metrics.gauges() }
}
