/** A cluster of one machine: primary, members, one port, one embedded database. Real processes. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import t from 'tap'
import { ApiClient, idOf } from '../support/api-client.ts'
import {
  type Bellwire,
  childrenOf,
  isRunning,
  runToEnd,
  startBellwire,
} from '../support/bellwire.ts'
import { openStream, StreamClient } from '../support/ws-client.ts'
import { checkDelivered, checkStored, openStreams, Traffic } from '../promises/traffic.ts'
import { within } from './two-processes.ts'

const CLUSTER = {
  GOTIFY_SERVER_CLUSTER_PROCESSES: '2',
  GOTIFY_SERVER_STREAM_SHARDTHREADS: '1',
}

/** Process numbers of the members, from the system. */
async function membersOf(cluster: Bellwire): Promise<readonly number[]> {
  const members: number[] = []
  for (const pid of await childrenOf(cluster.pid)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    if (command.includes('cluster-member')) members.push(pid)
  }
  return members
}

/** How often a member has begun to listen. */
function listening(cluster: Bellwire): number {
  return cluster.logs.filter((line) => line.includes('"msg":"member listens"')).length
}

/** A metric of the whole cluster; NaN without one. */
async function metric(api: ApiClient, name: string): Promise<number> {
  const { text } = await api.call('GET /metrics')
  return Number(new RegExp(`^${name}(?:{.*})? (\\S+)$`, 'm').exec(text)?.[1])
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

  await t.test('[CLU11] A member that is killed is back soon, and nothing is lost', async (t) => {
    const user = await api.identity()
    const traffic = new Traffic(api, user, 4)
    await traffic.more(20)
    const before = listening(cluster)
    const [victim = 0] = await membersOf(cluster)
    process.kill(victim, 'SIGKILL')
    t.ok(Number.isFinite(await within(20_000, () => listening(cluster) > before)))
    await traffic.more(20)
    await traffic.stop()
    t.equal((await membersOf(cluster)).length, 2)
    const history = await api.history(user)
    checkStored(t, history, traffic.acknowledged)
    const stream = await openStream(cluster.port, { token: user.clientToken, after: 0 })
    await checkDelivered(t, [stream], history)
    stream.destroy()
  })

  await t.test('[CLU12] SIGHUP replaces the members one by one', async (t) => {
    const user = await api.identity()
    const before = await membersOf(cluster)
    const traffic = new Traffic(api, user, 2)
    process.kill(cluster.pid, 'SIGHUP')
    const replaced = await within(30_000, () =>
      cluster.logs.some((line) => line.includes('all members were replaced')),
    )
    t.ok(Number.isFinite(replaced))
    await traffic.more(10)
    await traffic.stop()
    const after = await membersOf(cluster)
    t.equal(after.length, 2)
    t.notOk(after.some((pid) => before.includes(pid)))
    checkStored(t, await api.history(user), traffic.acknowledged)
  })

  await t.test('[CLU13] SIGTERM drains every member and ends with status 0', async (t) => {
    const user = await api.identity()
    const streams = await openStreams(10, cluster.port, { token: user.clientToken })
    const members = await membersOf(cluster)
    t.equal(await cluster.stop(), 0)
    for (const stream of streams) t.same(await stream.closed, { code: 1001 })
    t.strictSame(members.filter(isRunning), [])
    t.equal(await cluster.postgresPid(), null)
  })

  await t.test('[CLU14] No member outlives a primary that is killed', async (t) => {
    await cluster.start()
    const members = await membersOf(cluster)
    t.equal(members.length, 2)
    const user = await api.identity()
    const acknowledged = await api.publish(user.applicationToken, 'kept')
    await cluster.kill9()
    t.ok(Number.isFinite(await within(10_000, () => !members.some(isRunning))))
    await cluster.start()
    const stream = await openStream(cluster.port, { token: user.clientToken, after: 0 })
    t.ok(stream instanceof StreamClient)
    await stream.untilId(idOf(acknowledged.text))
    stream.destroy()
  })
})

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
