/** Sums of counters and histograms, so that what ended members counted is kept. Pure. */
import type { MetricList } from './ipc.ts'

type Metric = MetricList[number]
/** The rows of a histogram have names of their own, such as x_bucket and x_sum. */
type Value = Metric['values'][number] & { readonly metricName?: string }

/** Metrics of the same name and values of the same labels are added. */
export function addTotals(left: MetricList, right: MetricList): MetricList {
  const byName = new Map(left.map((metric) => [metric.name, metric]))
  for (const metric of right) {
    const before = byName.get(metric.name)
    byName.set(metric.name, before === undefined ? metric : addMetric(before, metric))
  }
  return [...byName.values()]
}

function addMetric(left: Metric, right: Metric): Metric {
  const byLabels = new Map<string, Value>(left.values.map((value) => [keyOf(value), value]))
  for (const value of right.values) {
    const key = keyOf(value)
    byLabels.set(key, { ...value, value: value.value + (byLabels.get(key)?.value ?? 0) })
  }
  return { ...left, values: [...byLabels.values()] }
}

function keyOf({ metricName, labels }: Value): string {
  return JSON.stringify([metricName, Object.entries(labels).sort()])
}
