/** Two results side by side: for every figure that both have, the ratio of the medians with its 95 % interval. */
import { scenariosOf, valuesOf, variantsOf, type RunResult } from '../results/result.ts'
import { ratioOfMedians } from '../stats/bootstrap.ts'
import { median } from '../stats/summary.ts'
import { markdownTable } from './document.ts'
import { formatNumber, metricTitle, smallerIsBetter } from './figures.ts'

export interface NamedResult {
  readonly name: string
  readonly result: RunResult
}

/** The comparison as Markdown. A ratio is "B over A"; the verdict is given only when the interval leaves 1 out. */
export function compareResults(a: NamedResult, b: NamedResult): string {
  const parts = [`# ${b.name} against ${a.name}`, caution(a.result, b.result)]
  for (const scenario of scenariosOf(a.result)) {
    for (const variant of variantsOf(a.result, scenario)) {
      const rows = compareMetrics(a.result, b.result, scenario, variant)
      if (rows.length === 0) continue
      const head = [variant, a.name, b.name, 'ratio', '95 % interval', 'verdict']
      parts.push(`## ${scenario}: ${variant}`, markdownTable({ head, rows }))
    }
  }
  return parts.join('\n\n')
}

function caution(a: RunResult, b: RunResult): string {
  const same =
    JSON.stringify([a.machine.cpu, a.machine.cores]) ===
    JSON.stringify([b.machine.cpu, b.machine.cores])
  return same
    ? 'Same kind of machine. With few rounds the interval is about the span of the rounds.'
    : 'The machines differ: only ratios within one result can be compared.'
}

function compareMetrics(a: RunResult, b: RunResult, scenario: string, variant: string): string[][] {
  const names = a.samples
    .filter((sample) => sample.scenario === scenario && sample.variant === variant)
    .flatMap((sample) => Object.keys(sample.metrics))
  return [...new Set(names)].flatMap((metric) => {
    const left = valuesOf(a, scenario, variant, metric)
    const right = valuesOf(b, scenario, variant, metric)
    // A ratio to nothing says nothing, and counts of damage are mostly 0.
    if (right.length === 0 || median(left) === 0 || left.includes(0)) return []
    const { ratio, low, high } = ratioOfMedians(left, right)
    // A single round has no spread, so its interval would be a point that claims everything.
    const rounds = Math.min(left.length, right.length)
    return [
      [
        metricTitle(metric),
        formatNumber(median(left)),
        formatNumber(median(right)),
        ratio.toFixed(3),
        rounds < 2 ? '-' : `${low.toFixed(3)} to ${high.toFixed(3)}`,
        rounds < 2 ? 'one round' : verdict(metric, low, high),
      ],
    ]
  })
}

function verdict(metric: string, low: number, high: number): string {
  if (low <= 1 && high >= 1) return 'no difference shown'
  return high < 1 === smallerIsBetter(metric) ? 'better' : 'worse'
}
