/** The first thing a reader sees: the handful of figures that answer "what does it do?", each beside the ceiling. */
import { scenariosOf, valuesOf, variantsOf, type RunResult } from '../results/result.ts'
import { BARE } from '../server/variant.ts'
import { median } from '../stats/summary.ts'
import type { Section } from './document.ts'
import { formatNumber } from './figures.ts'

const QUESTIONS = [
  ['publish-closed-64', 'publishesPerSecond', 'Durable publishes a second, 64 publishers'],
  ['publish-closed-256', 'publishesPerSecond', 'Durable publishes a second, 256 publishers'],
  ['publish-open-1000', 'publishP50Ms', 'Publish at 1,000 a second, median (ms)'],
  ['publish-open-1000', 'publishP99Ms', 'Publish at 1,000 a second, p99 (ms)'],
  ['publish-open-1000', 'deliveryP99Ms', 'From due to delivered at 1,000 a second, p99 (ms)'],
  ['fan-out-10000', 'framesPerSecond', 'Frames a second to 10,000 sockets of one user'],
  ['idle-memory', 'growthBytesPerSocket', 'Process memory of an idle socket (bytes)'],
  ['idle-memory', 'connectsPerSecond', 'Connections opened a second'],
] as const
const DAMAGE = ['failed', 'missing', 'outOfOrder']

export function summarySection(result: RunResult): Section | null {
  const subject = ['defaults', 'shards-256'].find((name) =>
    result.samples.some(({ variant }) => variant === name),
  )
  if (subject === undefined) return null
  const others = [...new Set(result.samples.map(({ variant }) => variant))].filter(
    (name) => name === BARE.name || !/^(shards|threads|buffers|defaults|processes)/.test(name),
  )
  const columns = [subject, ...others]
  const rows = QUESTIONS.map(([prefix, metric, title]) => [
    title,
    ...columns.map((variant) => figure(result, prefix, metric, variant)),
  ]).filter((row) => row.slice(1).some((text) => text !== '-'))
  return {
    title: 'In short',
    text: [
      `Publishes that failed, messages that did not arrive and frames out of order, over all servers and rounds: ${damage(result)}.`,
    ],
    plots: [],
    tables: rows.length === 0 ? [] : [{ head: ['', ...columns], rows }],
  }
}

/** Of several scenarios of one kind, the one with the most sockets counts. */
function figure(result: RunResult, prefix: string, metric: string, variant: string): string {
  const scenario = scenariosOf(result, prefix)
    .filter((name) => variantsOf(result, name).includes(variant))
    .sort((a, b) => Number(a.split('-').at(-1)) - Number(b.split('-').at(-1)))
    .at(-1)
  if (scenario === undefined) return '-'
  return formatNumber(median(valuesOf(result, scenario, variant, metric)))
}

function damage(result: RunResult): number {
  return result.samples.reduce(
    (sum, { metrics }) => sum + DAMAGE.reduce((own, name) => own + (metrics[name] ?? 0), 0),
    0,
  )
}
