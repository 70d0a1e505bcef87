/**
 * A histogram of prom-client that shows what was counted elsewhere: its own observe() costs a
 * publish as much as writing the command into the lane. Main thread.
 */
import type { ValueCounts } from '@bellwire/common'
import { Histogram, type MetricValueWithName, type Registry } from 'prom-client'

export interface CountedHistogramOptions {
  readonly name: string
  readonly help: string
  readonly values: ValueCounts
  /** Counted units in a shown one: 1,000 for milliseconds shown as seconds. */
  readonly divisor: number
  readonly registry: Registry
}

/** As prom-client keeps it; what all rows share is put into the text once. */
type Row = MetricValueWithName<string> & { readonly sharedLabels: object }

export class CountedHistogram extends Histogram {
  readonly #options: CountedHistogramOptions

  constructor(options: CountedHistogramOptions) {
    const { name, help, registry } = options
    super({ name, help, registers: [registry] })
    this.#options = options
  }

  /** What prom-client asks for, for text and for data. */
  getForPromString(): Promise<object> {
    const { name, help, values, divisor } = this.#options
    const { counts, sum } = values.counted
    const bucket = `${name}_bucket`
    const rows: Row[] = []
    const sharedLabels = {}
    let count = 0
    for (const [place, inBucket] of counts.entries()) {
      count += inBucket
      const bound = values.bounds[place]
      const le = bound === undefined ? '+Inf' : bound / divisor
      rows.push({ metricName: bucket, labels: { le }, sharedLabels, value: count })
    }
    rows.push(
      { metricName: `${name}_sum`, labels: {}, sharedLabels, value: sum / divisor },
      { metricName: `${name}_count`, labels: {}, sharedLabels, value: count },
    )
    return Promise.resolve({ name, help, type: 'histogram', values: rows, aggregator: 'sum' })
  }
}
