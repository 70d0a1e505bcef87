/** A member that lives but does not answer, in a real cluster whose primary waits 2 s instead of 20. */
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { SPARE_ARGUMENT } from '../../src/cluster/ipc.ts'
import { Member } from '../../src/cluster/member.ts'
import { ApiClient } from '../support/api-client.ts'
import { isRunning, startBellwire } from '../support/bellwire.ts'
import { CLUSTER, listening, logged, membersOf, sparesOf } from './cluster-processes.ts'
import { within } from './two-processes.ts'

const IMPATIENT = fileURLToPath(new URL('impatient-cluster.js', import.meta.url))
const SILENT = fileURLToPath(new URL('silent-program.js', import.meta.url))
/** Longer than that primary's patience. */
const LONG_MS = 3_000

t.test('[CLU17] Member is killed when it does not load', { timeout: 30_000 }, async (t) => {
  const member = new Member({
    program: SILENT,
    argument: SPARE_ARGUMENT,
    patience: { periodMs: 20, questions: 1_000, loadingQuestions: 50 },
    onMetrics: () => t.fail('it said something'),
    onHealth: () => t.fail('it said something'),
    onLeaving: () => t.fail('it said something'),
  })
  t.strictSame(await member.ended, {
    hadListened: false,
    reason: 'it was killed, because it had not loaded the program for 1 s',
  })
  await t.rejects(member.listening)
})

t.test('A cluster', { timeout: 120_000 }, async (t) => {
  const cluster = await startBellwire(t, CLUSTER, { program: IMPATIENT })

  await t.test('[CLU17] A member that hangs is killed and its seat filled again', async (t) => {
    const before = listening(cluster)
    const [stopped = 0, other = 0] = await membersOf(cluster)
    process.kill(stopped, 'SIGSTOP')
    t.ok(Number.isFinite(await within(30_000, () => listening(cluster) > before)))
    const members = await membersOf(cluster)
    t.equal(members.length, 2)
    t.notOk(members.includes(stopped))
    t.ok(members.includes(other), 'the one that answers stays')
    t.equal(logged(cluster, 'because it had not answered for 2 s'), 1)
  })

  await t.test('[CLU11] A spare that hangs takes no seat', async (t) => {
    const hasSpare = async (): Promise<boolean> => (await sparesOf(cluster)).length === 1
    t.ok(Number.isFinite(await within(20_000, hasSpare)))
    const [spare = 0] = await sparesOf(cluster)
    process.kill(spare, 'SIGSTOP')
    // Four questions of that primary.
    await sleep(800)
    const before = listening(cluster)
    const ends = logged(cluster, 'a member ended')
    const [victim = 0] = await membersOf(cluster)
    process.kill(victim, 'SIGKILL')
    t.ok(Number.isFinite(await within(30_000, () => listening(cluster) > before)))
    t.ok(Number.isFinite(await within(30_000, () => !isRunning(spare))), 'it is killed')
    t.equal((await membersOf(cluster)).length, 2)
    t.equal(logged(cluster, 'a member ended'), ends + 1, 'it was no member')
  })

  await t.test('[CLU17] A primary that was paused itself kills nobody', async (t) => {
    const members = await membersOf(cluster)
    const ends = logged(cluster, 'a member ended')
    process.kill(cluster.pid, 'SIGSTOP')
    const alone = new ApiClient(cluster)
    const { status } = await alone.call('GET /metrics')
    const health = await alone.call('GET /health')
    alone.close()
    t.equal(status, 503, '[CLU18] part of a sum would be a fall')
    t.equal(health.status, 500, '[CLU19] nobody would fill the seat of a member that ends')
    await sleep(LONG_MS)
    process.kill(cluster.pid, 'SIGCONT')
    await sleep(LONG_MS)
    t.strictSame(await membersOf(cluster), members)
    t.equal(logged(cluster, 'a member ended'), ends)
  })

  await t.test('[CLU17] A member that is stopping has its time, answer or not', async (t) => {
    const [stopped = 0] = await membersOf(cluster)
    process.kill(stopped, 'SIGSTOP')
    const ending = cluster.stop()
    await sleep(LONG_MS)
    process.kill(stopped, 'SIGCONT')
    t.equal(await ending, 0)
    t.equal(logged(cluster, '"msg":"Bellwire stopped"'), 2, 'both came to their end')
  })
})
