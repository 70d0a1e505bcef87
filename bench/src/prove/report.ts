/** What is told of a proof: a table for people and documents, and what was found. */
import type { Proof } from './prove.ts'
import { PROMISES } from './check/violation.ts'
import { FAULTS, type FaultKind } from './faults/schedule.ts'

/** Findings told in full. */
const TOLD = 20

export function tableOf({ options, faults, history, drainMs, violations }: Proof): string {
  const { publishes, streams, rows } = history
  const attempts = publishes.flatMap((publish) => publish.attempts)
  const withStatus = (status: number): number =>
    attempts.filter((attempt) => attempt.status === status).length
  const opened = streams.length
  const subscribers = new Set(streams.map(({ subscriber }) => subscriber)).size
  const frames = streams.reduce((sum, stream) => sum + stream.frames.length, 0)
  const kinds = Object.keys(FAULTS) as FaultKind[]
  const total = [...faults.values()].reduce((sum, count) => sum + count, 0)
  const lines: [string, number | string][] = [
    ...kinds.map((kind): [string, number | string] => [kind, faults.get(kind) ?? 'left out']),
    ['**faults in all**', total],
    ['messages sent', publishes.length],
    ['publishes, with repeats', attempts.length],
    ['answered 200', withStatus(200)],
    ['answered 503', withStatus(503)],
    ['broken before an answer', withStatus(0)],
    ['messages committed', rows.length],
    ['messages delivered, over all subscribers', frames],
    ['streams opened again', opened - subscribers],
    [
      'seconds until everybody had everything',
      drainMs === null ? 'never' : (drainMs / 1000).toFixed(1),
    ],
    ['**violations**', violations.length],
  ]
  const members = options.members > 1 ? ` of ${options.members} members` : ''
  const title = `${options.hosts} processes${members}, ${subscribers} subscribers, ${options.seconds} s, seed ${options.seed}`
  const width = Math.max(...lines.map(([name]) => name.length))
  return [
    `| ${title.padEnd(width)} |  count |`,
    `| ${'-'.repeat(width)} | -----: |`,
    ...lines.map(([name, count]) => `| ${name.padEnd(width)} | ${String(count).padStart(6)} |`),
  ].join('\n')
}

export function findingsOf({ options, violations, workDir }: Proof): string {
  if (violations.length === 0) return ''
  const told = violations.slice(0, TOLD).map(({ kind, detail }) => `- ${kind}: ${detail}`)
  const broken = [...new Set(violations.map(({ kind }) => kind))]
  return [
    `${violations.length} violations with seed ${options.seed}; history and logs are in ${workDir}`,
    ...broken.map((kind) => `Broken promise: ${PROMISES[kind]}`),
    ...told,
    '',
  ].join('\n')
}
