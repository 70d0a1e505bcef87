/** Health that cannot lie: proofs that each shard thread commits and delivers. */
import t from 'tap'
import { Canaries, CANARY_BOUND_MS } from '../../src/health/canaries.ts'
import { ApiClient } from '../support/api-client.ts'
import { childrenOf, startBellwire } from '../support/bellwire.ts'

function canaries(threads: number): {
  readonly canaries: Canaries
  readonly sent: number[]
  readonly clock: { now: number; full: boolean }
} {
  const clock = { now: 0, full: false }
  const sent: number[] = []
  const send = (thread: number): boolean => {
    if (!clock.full) sent.push(thread)
    return !clock.full
  }
  return { canaries: new Canaries(threads, send, () => clock.now), sent, clock }
}

t.test('[HEALTH1] Canaries are fresh while every thread proves itself', (t) => {
  const { canaries: own, sent, clock } = canaries(2)
  t.notOk(own.fresh, 'nothing is proven before the first one is back')
  own.tick()
  t.strictSame(sent, [0, 1])
  clock.now = 5
  own.answered({ kind: 'canary', thread: 0, committed: true })
  t.notOk(own.fresh)
  own.answered({ kind: 'canary', thread: 1, committed: true })
  t.ok(own.fresh)
  t.strictSame(own.ages(), [5, 5], 'counted from the sending')
  clock.now = CANARY_BOUND_MS
  t.ok(own.fresh)
  clock.now++
  t.notOk(own.fresh)
  t.end()
})

t.test('[HEALTH1] A canary that did not commit proves nothing', (t) => {
  const { canaries: own, sent } = canaries(1)
  own.tick()
  own.answered({ kind: 'canary', thread: 0, committed: false })
  t.notOk(own.fresh)
  own.tick()
  t.strictSame(sent, [0, 0])
  t.end()
})

t.test('[HEALTH1] One canary a thread is under way, and a dead worker takes it along', (t) => {
  const { canaries: own, sent, clock } = canaries(1)
  clock.full = true
  own.tick()
  clock.full = false
  own.tick()
  own.tick()
  t.strictSame(sent, [0], 'a full lane takes none, and one is enough')
  own.forget(0)
  own.answered({ kind: 'canary', thread: 0, committed: true })
  t.notOk(own.fresh, 'the answer of a forgotten one')
  own.tick()
  t.strictSame(sent, [0, 0])
  t.end()
})

t.test('[API29] look() waits for new proofs, and believes a failure at once', async (t) => {
  const { canaries: own, sent, clock } = canaries(2)
  const answer = (thread: number, committed: boolean): void =>
    own.answered({ kind: 'canary', thread, committed })
  const first = own.look()
  const second = own.look()
  t.strictSame(sent, [0, 1], 'questions share the canaries')
  answer(0, true)
  answer(1, true)
  t.strictSame(await Promise.all([first, second]), [true, true])
  t.equal(await own.look(), true)
  t.strictSame(sent, [0, 1], 'what was proved a moment ago is not asked again')

  clock.now = 1_000
  const third = own.look()
  answer(0, true)
  answer(1, false)
  t.equal(await third, false, 'a thread failed')
  const fourth = own.look()
  t.strictSame(sent, [0, 1, 0, 1, 1], 'a failure is asked again')
  own.forget(1)
  t.equal(await fourth, false, 'its worker died')
  const fifth = own.look()
  answer(1, true)
  t.equal(await fifth, true)
})

t.test('[API29] look() takes a busy thread for one that works, for a while', async (t) => {
  const { canaries: own, clock } = canaries(1)
  own.tick()
  own.answered({ kind: 'canary', thread: 0, committed: true })
  clock.now = CANARY_BOUND_MS
  t.equal(await own.look(), true, 'no answer within its patience')
  clock.now++
  t.equal(await own.look(), false)
  const { canaries: full, clock: other } = canaries(1)
  other.full = true
  t.equal(await full.look(), false, 'nothing is proven yet')
})

t.test(
  '[HEALTH2] /health/ready tells of a database that hangs, and of its end',
  { timeout: 90_000 },
  async (t) => {
    const bellwire = await startBellwire(t)
    const api = new ApiClient(bellwire)
    t.teardown(() => api.close())
    const status = async (path: string): Promise<number> => (await api.call(`GET ${path}`)).status
    const until = async (wanted: number): Promise<void> => {
      while ((await status('/health/ready')) !== wanted) {
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
    await until(200)
    t.equal(await status('/health/live'), 200)
    t.equal(await status('/health'), 200)

    const postmaster = (await bellwire.postgresPid()) ?? 0
    const pids = [postmaster, ...(await childrenOf(postmaster))]
    const tell = (signal: NodeJS.Signals): void => pids.forEach((pid) => process.kill(pid, signal))
    tell('SIGSTOP')
    const frozenAt = performance.now()
    t.strictSame(
      await Promise.all([status('/health'), status('/health')]),
      [500, 500],
      '[API29] red, not silent',
    )
    t.ok(performance.now() - frozenAt < 15_000, 'before the time-outs of a query')
    await until(503)
    const { headers, text } = await api.call('GET /health/ready')
    t.match(
      text,
      /"ready":false,"reason":"shard thread 0 has committed and answered nothing for 10 s"/,
    )
    t.equal(headers['retry-after'], '1')
    t.equal(await status('/health/live'), 200, 'the process itself is fine')
    const metrics = await api.call('GET /metrics')
    const age = Number(/^bellwire_canary_age_seconds{thread="0"} (\S+)$/m.exec(metrics.text)?.[1])
    t.ok(age > CANARY_BOUND_MS / 1_000)
    tell('SIGCONT')
    await until(200)
    t.equal(await status('/health'), 200)
    t.pass('ready again')
  },
)
