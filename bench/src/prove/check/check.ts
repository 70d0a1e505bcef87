/**
 * The judge of a proof: compares what was acknowledged, what is committed and what was delivered. Pure, so that its
 * tests can plant every kind of violation (test/prove/check.test.ts).
 */
import { checkPublishes } from './check-publishes.ts'
import { checkStreams } from './check-streams.ts'
import type { History } from './history.ts'
import type { Report, Violation } from './violation.ts'

/** A publish may take 30 s, a stopped process answers nobody, and the clock here is that of a busy program. */
const ANSWER_LIMIT_MS = 40_000

/** Everything in `history` that breaks a promise; empty when all were kept. */
export function check(history: History): Violation[] {
  const found: Violation[] = []
  const report = (kind: Violation['kind'], detail: string): void => {
    found.push({ kind, detail })
  }
  checkPublishes(history.publishes, history.rows, report)
  checkStreams(history.streams, history.publishes, history.rows, report)
  for (const { attempts, digest } of history.publishes) {
    for (const { host, sentAt, endedAt } of attempts) {
      checkWait(`publish ${digest} at host ${host}`, endedAt - sentAt, report)
    }
  }
  for (const { host, after, status, askedAt, endedAt } of history.refusals) {
    const what = `host ${host} after=${after}`
    checkWait(`a stream of ${what}`, endedAt - askedAt, report)
    if (status !== 0 && status !== 503) report('stream refused', `${what}: ${status}`)
  }
  for (const { host, after, askedAt, openedAt } of history.streams) {
    checkWait(`a stream of host ${host} after=${after}`, openedAt - askedAt, report)
  }
  checkReturns(history, report)
  for (const host of history.ill) report('not healthy again', `host ${host}`)
  for (const { host, how, asked } of history.endings) {
    if (!asked) report('ended by itself', `host ${host}: ${how}`)
  }
  return found
}

/** A stream that was never opened has no frames to be judged by, so its subscriber is looked for by name. */
function checkReturns({ subscribers, absent, streams, refusals }: History, report: Report): void {
  const held = new Set(streams.flatMap((stream) => (stream.held ? [stream.subscriber] : [])))
  for (const number of subscribers) {
    if (held.has(number) && !absent.includes(number)) continue
    const refused = refusals.filter(({ subscriber }) => subscriber === number)
    const last = refused.at(-1)
    const how = last === undefined ? '' : `, at last by host ${last.host} with ${last.status}`
    report(
      'subscriber could not come back',
      `subscriber ${number}: refused ${refused.length} times${how}`,
    )
  }
}

function checkWait(what: string, waitedMs: number, report: Report): void {
  if (waitedMs > ANSWER_LIMIT_MS) report('answered late', `${what}: ${Math.round(waitedMs)} ms`)
}
