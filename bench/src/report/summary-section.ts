/** The first thing a reader sees: the handful of figures that answer "what does it do?", each beside the ceiling. */
import { scenariosOf, valuesOf, variantsOf, type RunResult } from '../results/result.ts'
import { BARE } from '../server/variant.ts'
import { median } from '../stats/summary.ts'
import type { Section } from './document.ts'
import { formatNumber } from './figures.ts'
import { otherServers, ratioText } from './other-servers.ts'

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
  const variants = new Set(result.samples.map(({ variant }) => variant))
  const others = otherServers(variants)
  const columns = [subject, ...(variants.has(BARE.name) ? [BARE.name] : []), ...others]
  const rows = QUESTIONS.map(([prefix, metric, title]) => {
    const of = (variant: string): number => figure(result, prefix, metric, variant)
    return [
      title,
      ...columns.map((variant) => formatNumber(of(variant))),
      ...others.map((other) => ratioText(of(subject), of(other))),
    ]
  }).filter((row) => row.slice(1).some((text) => text !== '-'))
  const head = ['', ...columns, ...others.map((other) => `Bellwire / ${other}`)]
  return {
    title: 'In short',
    text: [
      `Publishes that failed, messages that did not arrive and frames out of order, over all servers and rounds: ${damage(result)}.`,
      ...(variants.has(BARE.name)
        ? ['bare-uws stores nothing: its publishes are not durable.']
        : []),
      ...(others.length > 0 ? [ratioNote(subject, others)] : []),
    ],
    plots: [],
    tables: rows.length === 0 ? [] : [{ head, rows }],
  }
}

function ratioNote(subject: string, others: readonly string[]): string {
  return `"Bellwire / ${others[0] ?? ''}" is the figure of ${subject} divided by that of the other server: for rates more than 1 is better, for times (ms) and memory less than 1. In the tables below, the column "/ ${others[0] ?? ''}" does the same for each row and the figure on its left. Another server is as durable as its own settings make it.`
}

/** Of several scenarios of one kind, the one with the most sockets counts; NaN when there is none. */
function figure(result: RunResult, prefix: string, metric: string, variant: string): number {
  const scenario = scenariosOf(result, prefix)
    .filter((name) => variantsOf(result, name).includes(variant))
    .sort((a, b) => Number(a.split('-').at(-1)) - Number(b.split('-').at(-1)))
    .at(-1)
  return median(valuesOf(result, scenario ?? '', variant, metric))
}

function damage(result: RunResult): number {
  return result.samples.reduce(
    (sum, { metrics }) => sum + DAMAGE.reduce((own, name) => own + (metrics[name] ?? 0), 0),
    0,
  )
}
