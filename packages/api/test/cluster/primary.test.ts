/** A cluster of one machine: primary, members, one port, one embedded database. Real processes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import { ApiClient, idOf, type Identity } from '../support/api-client.ts'
import { type Bellwire, isRunning, runToEnd, startBellwire } from '../support/bellwire.ts'
import { openStream, StreamClient } from '../support/ws-client.ts'
import {
  checkDelivered,
  checkStored,
  describeAnswers,
  openStreams,
  Traffic,
} from '../promises/traffic.ts'
import {
  CLUSTER,
  listening,
  logged,
  membersOf,
  metric,
  sparesOf,
  startedBy,
} from './cluster-processes.ts'
import { within } from './two-processes.ts'

/** Within this time every worker that runs has reported its commits. */
const WORKERS_REPORT_MS = 1_500

/** Twenty publishes, on as many connections. */
async function publishSome(t: Test, api: ApiClient, user: Identity): Promise<void> {
  const texts = Array.from({ length: 20 }, (_, number) => `counted ${number}`)
  const answers = await Promise.all(texts.map((text) => api.publish(user.applicationToken, text)))
  t.ok(answers.every(({ status }) => status === 200))
}

/** A metric as eight connections get it: with luck from every member. */
function metricOfEach(cluster: Bellwire, name: string): Promise<number[]> {
  return Promise.all(
    Array.from({ length: 8 }, async () => {
      const alone = new ApiClient(cluster)
      return metric(alone, name).finally(() => alone.close())
    }),
  )
}

t.test('A cluster', { timeout: 240_000 }, async (t) => {
  const cluster = await startBellwire(t, CLUSTER)
  const api = new ApiClient(cluster)
  t.teardown(() => api.close())

  await t.test('[CLU10] Members share a port that the primary does not listen on', async (t) => {
    const members = await membersOf(cluster)
    t.equal(members.length, 2)
    const user = await api.identity()
    const streams = await openStreams(40, cluster.port, { token: user.clientToken })
    const published = await api.publish(user.applicationToken, 'to all')
    await checkDelivered(t, streams, [published.text])
    t.equal(await metric(api, 'bellwire_connections'), 40, 'whoever is asked answers the sum')
    t.equal(await metric(api, 'bellwire_processes'), 2)
    for (const stream of streams) stream.destroy()
    for (let number = 0; number < 8; number++) {
      const alone = new ApiClient(cluster)
      t.equal((await alone.call('GET /health')).status, 200)
      t.equal((await alone.call('GET /health/live')).status, 200)
      alone.close()
    }
  })

  await t.test('[CLU19] GET /health of any member tells of one that hangs', async (t) => {
    const clients = Array.from({ length: 16 }, () => new ApiClient(cluster))
    t.teardown(() => clients.forEach((client) => client.close()))
    const answersTo = async (path: string): Promise<string[]> => {
      const asked = clients.map(async (client) => (await client.call(`GET ${path}`)).text)
      return Promise.all(asked.map((each) => Promise.race([each, sleep(5_000, 'none')])))
    }
    // Each has a connection of its own now, and every member some of them.
    await answersTo('/version')
    const [stopped = 0] = await membersOf(cluster)
    process.kill(stopped, 'SIGSTOP')
    const [health, ready] = await Promise.all([answersTo('/health'), answersTo('/health/ready')])
    process.kill(stopped, 'SIGCONT')
    t.strictSame(new Set(health), new Set(['none', '{"health":"orange","database":"red"}']))
    const reason = 'a process of the cluster hangs'
    t.strictSame(new Set(ready), new Set(['none', JSON.stringify({ ready: false, reason })]))
    const isGreen = async (): Promise<boolean> => {
      const answers = [...(await answersTo('/health')), ...(await answersTo('/health/ready'))]
      return !answers.some((answer) => /red|false|none/.test(answer))
    }
    t.ok(Number.isFinite(await within(20_000, isGreen)))
  })

  await t.test('[CLU11] A member that is killed is back soon, and nothing is lost', async (t) => {
    const user = await api.identity()
    const traffic = new Traffic(api, user, 4)
    await traffic.more(20)
    const before = listening(cluster)
    const hasSpare = async (): Promise<boolean> => (await sparesOf(cluster)).length === 1
    t.ok(Number.isFinite(await within(20_000, hasSpare)))
    const [spare = 0] = await sparesOf(cluster)
    const [victim = 0] = await membersOf(cluster)
    process.kill(victim, 'SIGKILL')
    t.ok(Number.isFinite(await within(20_000, () => listening(cluster) > before)))
    await traffic.more(20)
    await traffic.stop()
    const members = await membersOf(cluster)
    t.equal(members.length, 2)
    t.ok(members.includes(spare), 'the spare has taken the seat')
    t.ok(Number.isFinite(await within(20_000, hasSpare)), 'there is a new one')
    const history = await api.history(user)
    checkStored(t, history, traffic.acknowledged)
    const stream = await openStream(cluster.port, { token: user.clientToken, after: 0 })
    await checkDelivered(t, [stream], history)
    stream.destroy()
  })

  await t.test('[CLU11] A spare that is told to stop takes no seat', async (t) => {
    const [spare = 0] = await sparesOf(cluster)
    process.kill(spare, 'SIGTERM')
    t.ok(Number.isFinite(await within(10_000, () => !isRunning(spare))))
    const before = listening(cluster)
    const ends = logged(cluster, 'a member ended')
    const [victim = 0] = await membersOf(cluster)
    process.kill(victim, 'SIGKILL')
    const hasSpare = async (): Promise<boolean> => (await sparesOf(cluster)).length === 1
    t.ok(Number.isFinite(await within(20_000, () => listening(cluster) > before)))
    t.ok(Number.isFinite(await within(20_000, hasSpare)), 'there is a new one')
    t.equal((await membersOf(cluster)).length, 2)
    t.equal(logged(cluster, 'a member ended'), ends + 1)
  })

  await t.test('[CLU11] The seat of a member told to stop is filled while it drains', async (t) => {
    const user = await api.identity()
    const traffic = new Traffic(api, user, 4)
    await traffic.more(20)
    const [before, ends] = [listening(cluster), logged(cluster, 'a member ended')]
    const [leaving = 0, other] = await membersOf(cluster)
    process.kill(leaving, 'SIGTERM')
    t.ok(Number.isFinite(await within(20_000, () => listening(cluster) > before)))
    t.ok(Number.isFinite(await within(20_000, () => !isRunning(leaving))))
    await traffic.more(20)
    await traffic.stop()
    const members = await membersOf(cluster)
    t.equal(members.length, 2)
    t.ok(members.includes(other ?? 0), 'the other stays')
    t.equal(logged(cluster, 'a member was told to stop'), 1)
    t.equal(logged(cluster, 'a member ended'), ends, 'nobody was missed')
    t.equal(describeAnswers(traffic.refused), '', 'and no publisher noticed')
    checkStored(t, await api.history(user), traffic.acknowledged)
  })

  await t.test('[CLU12] SIGHUP replaces the members one by one', async (t) => {
    const user = await api.identity()
    const before = await startedBy(cluster)
    const traffic = new Traffic(api, user, 2)
    process.kill(cluster.pid, 'SIGHUP')
    const isRolling = (): boolean => logged(cluster, 'members are replaced one by one') === 1
    t.ok(Number.isFinite(await within(10_000, isRolling)))
    process.kill(cluster.pid, 'SIGHUP')
    const replaced = await within(30_000, () =>
      cluster.logs.some((line) => line.includes('all members were replaced')),
    )
    t.ok(Number.isFinite(replaced))
    await traffic.more(10)
    await traffic.stop()
    const after = await membersOf(cluster)
    t.equal(after.length, 2)
    t.strictSame(before.filter(isRunning), [], 'neither the members nor the spare were kept')
    t.equal(logged(cluster, '"reason":"another member has taken its place"'), 2)
    t.equal(logged(cluster, 'members are being replaced already'), 1)
    checkStored(t, await api.history(user), traffic.acknowledged)
  })

  await t.test('[CLU12] Members that are newer than their primary bring the tables', async (t) => {
    const host = join(cluster.dataDir, 'postgres', 'run')
    const database = new pg.Client({ host, user: 'bellwire', database: 'bellwire' })
    await database.connect()
    t.teardown(() => database.end())
    // As an older primary would have left them.
    await database.query(`delete from bellwire_migration where name = '0008_publish_arrays'`)
    await database.query(`drop function bellwire_publish(bigint[], bigint[], text[], text[],
      bigint[], text[], bigint[], text[], bytea[], int[], bigint[])`)
    const user = await api.identity()
    t.equal((await api.publish(user.applicationToken, 'too early')).status, 500)
    const before = logged(cluster, 'all members were replaced')
    process.kill(cluster.pid, 'SIGHUP')
    const replaced = (): boolean => logged(cluster, 'all members were replaced') > before
    t.ok(Number.isFinite(await within(30_000, replaced)))
    await publishSome(t, api, user)
    t.ok(logged(cluster, 'the database refused a batch') > 0)
  })

  await t.test('[CLU18] Counters of the cluster never fall when members end', async (t) => {
    const user = await api.identity()
    const answered = 'bellwire_publishes_total{status="200"}'
    const commits = 'bellwire_publish_to_commit_seconds_count'
    await publishSome(t, api, user)
    const before = await metric(api, answered)
    await sleep(WORKERS_REPORT_MS)
    const committed = await metric(api, commits)

    const traffic = new Traffic(api, user, 2)
    const rolls = logged(cluster, 'all members were replaced')
    process.kill(cluster.pid, 'SIGHUP')
    const isOver = (): boolean => logged(cluster, 'all members were replaced') > rolls
    t.ok(Number.isFinite(await within(30_000, isOver)))
    await traffic.stop()
    const counted = await metric(api, answered)
    // More where an answer was lost with its connection.
    t.ok(counted >= before + traffic.acknowledged.length, 'their last words are heard')
    await sleep(WORKERS_REPORT_MS)
    t.ok(
      (await metric(api, commits)) >= committed + traffic.acknowledged.length,
      'those of their workers, too',
    )

    await publishSome(t, api, user)
    // Whoever of the two is asked.
    const told = Math.max(...(await metricOfEach(cluster, answered)))
    t.equal(told, counted + 20)
    const again = listening(cluster)
    const [victim = 0] = await membersOf(cluster)
    process.kill(victim, 'SIGKILL')
    t.ok(Number.isFinite(await within(10_000, () => !isRunning(victim))))
    t.strictSame(new Set(await metricOfEach(cluster, answered)), new Set([told]))
    t.ok(Number.isFinite(await within(20_000, () => listening(cluster) > again)))
    t.strictSame(new Set(await metricOfEach(cluster, answered)), new Set([told]))
    t.equal(await metric(api, 'bellwire_processes'), 2, 'gauges are those of the living')
  })

  await t.test('[CLU13] SIGTERM drains every member and ends with status 0', async (t) => {
    const user = await api.identity()
    const streams = await openStreams(10, cluster.port, { token: user.clientToken })
    const children = await startedBy(cluster)
    t.equal(await cluster.stop(), 0)
    for (const stream of streams) t.same(await stream.closed, { code: 1001 })
    t.strictSame(children.filter(isRunning), [])
    t.equal(await cluster.postgresPid(), null)
  })

  await t.test('[CLU14] No member outlives a primary that is killed', async (t) => {
    await cluster.start()
    t.equal((await membersOf(cluster)).length, 2)
    const children = await startedBy(cluster)
    const user = await api.identity()
    const acknowledged = await api.publish(user.applicationToken, 'kept')
    await cluster.kill9()
    t.ok(Number.isFinite(await within(10_000, () => !children.some(isRunning))))
    await cluster.start()
    const stream = await openStream(cluster.port, { token: user.clientToken, after: 0 })
    t.ok(stream instanceof StreamClient)
    await stream.untilId(idOf(acknowledged.text))
    stream.destroy()
  })

  await t.test('[CLU12] SIGHUP during the start is done after it', async (t) => {
    await cluster.stop()
    const rolls = logged(cluster, 'all members were replaced')
    const starting = cluster.start()
    const hasPostgres = async (): Promise<boolean> => (await cluster.postgresPid()) !== null
    t.ok(Number.isFinite(await within(20_000, hasPostgres)))
    process.kill(cluster.pid, 'SIGHUP')
    await starting
    const isOver = (): boolean => logged(cluster, 'all members were replaced') > rolls
    t.ok(Number.isFinite(await within(30_000, isOver)))
    t.equal(await cluster.stop(), 0)
  })
})

t.test(
  '[CLU15] A cluster that cannot go on gives up with one line',
  { timeout: 120_000 },
  async (t) => {
    const app = await mkdtemp(join(tmpdir(), 'bellwire-test-'))
    t.teardown(() => rm(app, { recursive: true, force: true }))
    await writeFile(join(app, 'index.html'), 'an app')
    const cluster = await startBellwire(t, { ...CLUSTER, GOTIFY_SERVER_UIDIR: app })
    // No member can start from now on.
    await rm(app, { recursive: true })
    for (const pid of await membersOf(cluster)) process.kill(pid, 'SIGKILL')
    t.equal(await cluster.ending, 1)
    const line = 'Bellwire gives up: The processes of the cluster end again and again: GOTIFY_'
    // The last words may be read after the end.
    t.ok(Number.isFinite(await within(5_000, () => logged(cluster, line) === 1)))
    t.ok(Number.isFinite(await within(20_000, async () => (await cluster.postgresPid()) === null)))
  },
)

t.test('[CLU15] A start that cannot be ends with one line', { timeout: 120_000 }, async (t) => {
  await t.test('a taken port', async (t) => {
    const stranger = createServer().listen(0, '127.0.0.1')
    t.teardown(() => void stranger.close())
    await new Promise((resolve) => stranger.once('listening', resolve))
    const address = stranger.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const env = { ...CLUSTER, GOTIFY_SERVER_PORT: String(port) }
    const { ending, stderr } = await runToEnd(t, env)
    t.equal(ending, 1)
    t.match(stderr, /^Bellwire cannot start: Cannot listen on .*: another process listens there\n$/)
  })

  await t.test('members that die again and again', { timeout: 90_000 }, async (t) => {
    const env = { ...CLUSTER, GOTIFY_SERVER_UIDIR: '/nowhere' }
    const { ending, stderr } = await runToEnd(t, env)
    t.equal(ending, 1)
    t.match(
      stderr,
      /^Bellwire cannot start: The processes of the cluster end again and again: .+\n$/,
    )
  })

  await t.test('a unix socket for several', async (t) => {
    const { ending, stderr } = await runToEnd(t, {
      ...CLUSTER,
      GOTIFY_SERVER_LISTENADDR: 'unix:bellwire.sock',
    })
    t.equal(ending, 1)
    t.match(stderr, /GOTIFY_SERVER_CLUSTER_PROCESSES: must be 1 .* value was "2"/)
  })
})
