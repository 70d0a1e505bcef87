/**
 * The proof, in short: three real Bellwires on one PostgreSQL, every kind of fault once, and nothing lost. The long one
 * is `npm run prove`.
 */
import t from 'tap'
import { prove } from '../../src/prove/prove.ts'
import { findingsOf, tableOf } from '../../src/prove/report.ts'
import { forgetProcesses } from '../../src/server/running-record.ts'

const SEED = 20_261
/** With the pause below, time for every kind of fault. */
const SECONDS = 13
const PAUSE_MS = 800

t.test('Three processes lose nothing, whatever is killed, stopped or cut', async (t) => {
  t.teardown(forgetProcesses)
  const say = (line: string): void => t.comment(line)
  const options = { seed: SEED, seconds: SECONDS, hosts: 3, members: 1, meanPauseMs: PAUSE_MS, say }
  const proof = await prove(options)
  t.comment(tableOf(proof))
  t.equal(findingsOf(proof), '', 'no promise was broken')

  // A proof of nothing would pass as well.
  const missing = [...proof.faults].filter(([, count]) => count === 0)
  t.same(missing, [], 'every kind of fault happened')
  const { publishes, rows, streams } = proof.history
  const statuses = new Set(publishes.flatMap(({ attempts }) => attempts.map((one) => one.status)))
  t.ok(statuses.has(200) && statuses.has(503) && statuses.has(0), 'publishes went well and badly')
  t.ok(rows.length > 100, 'many were stored')
  t.ok(streams.length > new Set(streams.map(({ subscriber }) => subscriber)).size, 'some came back')
  t.ok(
    streams.some(({ after, frames }) => after !== null && after > 0 && frames.length > 0),
    'some went on where they had ended',
  )
})
