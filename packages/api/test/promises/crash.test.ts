/** Promise 7: the process may be killed or asked to stop at any moment, and nothing acknowledged is lost. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t from 'tap'
import { ApiClient, idOf } from '../support/api-client.ts'
import { isRunning, startBellwire } from '../support/bellwire.ts'
import { openStream, type StreamClient } from '../support/ws-client.ts'
import { checkDelivered, checkRefusals, checkStored, openStreams, Traffic } from './traffic.ts'

const KILLS = 10

t.test(
  '[PUB1] [DLV6] [LIFE1] After kill -9 under load everything acknowledged is there, and ids go on',
  async (t) => {
    const bellwire = await startBellwire(t)
    const api = new ApiClient(bellwire)
    t.teardown(async () => api.close())
    const user = await api.identity()
    const acknowledged: string[] = []
    const seen: string[] = []
    let newest = 0
    let disorders = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const stream: StreamClient = await openStream(bellwire.port, {
        token: user.clientToken,
        after: idOf(seen.at(-1) ?? '{"id":0'),
      })
      const traffic = new Traffic(api, user, 16)
      await traffic.more(50 + 20 * kill)
      await bellwire.kill9()
      await traffic.stop()
      await stream.closed
      const ids = traffic.acknowledged.map(idOf)
      if (Math.min(...ids) <= newest) disorders++
      disorders += traffic.disorders
      newest = Math.max(newest, ...ids)
      acknowledged.push(...traffic.acknowledged)
      seen.push(...stream.texts)
      await bellwire.start()
    }
    t.equal(disorders, 0, 'ids only grow, over restarts too')
    const history = await api.history(user)
    checkStored(t, history, acknowledged)
    t.same(seen, history.slice(0, seen.length), 'what was delivered was stored, in this order')
    const [all] = await openStreams(1, bellwire.port, { token: user.clientToken, after: 0 })
    if (all !== undefined) await checkDelivered(t, [all], history)
  },
)

t.test(
  '[LIFE2] SIGTERM under load: what was accepted is answered, then it ends with status 0',
  async (t) => {
    const bellwire = await startBellwire(t)
    const api = new ApiClient(bellwire)
    t.teardown(async () => api.close())
    const user = await api.identity()
    const streams = await openStreams(5, bellwire.port, { token: user.clientToken })
    const android = await openStream(bellwire.port, {
      token: user.clientToken,
      headers: { 'user-agent': 'okhttp/4.12.0' },
    })
    const traffic = new Traffic(api, user, 32)
    await traffic.more(300)
    const postgres = await bellwire.postgresPid()
    const ending = bellwire.stop()
    for (const stream of streams) t.same(await stream.closed, { code: 1001 })
    t.same(await android.closed, { code: null }, 'OkHttp gets no Close frame')
    t.equal(await ending, 0)
    await traffic.stop()
    checkRefusals(
      t,
      traffic.refused.filter(({ status }) => status !== 0),
    )
    t.ok(postgres !== null && !isRunning(postgres), 'its PostgreSQL is gone')

    await bellwire.start()
    const history = await api.history(user)
    checkStored(t, history, traffic.acknowledged)
    t.equal(history.length, traffic.acknowledged.length, 'all that was stored was acknowledged')
  },
)

t.test('[LIFE2] SIGTERM while requests wait for the database: they are answered', async (t) => {
  const bellwire = await startBellwire(t)
  const api = new ApiClient(bellwire)
  t.teardown(() => api.close())
  const user = await api.identity()
  // Not connected when the process stops, it would be ended with it.
  const database = new pg.Client({
    host: join(bellwire.dataDir, 'postgres/run'),
    user: 'bellwire',
    database: 'bellwire',
  })
  database.on('error', () => undefined)
  await database.connect()
  const other = await api.identity()
  await api.publish(other.applicationToken, 'its token is known now')
  const stream = await openStream(bellwire.port, { token: user.clientToken })
  await database.query('begin; lock table applications, messages in access exclusive mode')
  const requests = [
    api.call('POST /application', { basic: user.basic, json: { name: 'late' } }),
    api.publish(user.applicationToken, 'of a token that must be looked up'),
    api.publish(other.applicationToken, 'that must be committed'),
  ]
  await sleep(300)
  const ending = bellwire.stop()
  t.same(await stream.closed, { code: 1001 }, 'streams do not wait for them')
  await database.query('commit')
  await database.end()
  const answers = await Promise.all(requests)
  t.strictSame(
    answers.map(({ status }) => status),
    [200, 200, 200],
  )
  t.equal(await ending, 0)
})

t.test('[LIFE2] SIGHUP, as of a terminal that closes, is a stop', async (t) => {
  const bellwire = await startBellwire(t)
  const api = new ApiClient(bellwire)
  t.teardown(() => api.close())
  const user = await api.identity()
  const stream = await openStream(bellwire.port, { token: user.clientToken })
  process.kill(bellwire.pid, 'SIGHUP')
  t.same(await stream.closed, { code: 1001 })
  t.equal(await bellwire.ending, 0)
  t.equal(await bellwire.postgresPid(), null, 'no PostgreSQL is left behind')
})

t.test('[LIFE3] SIGTERM while it starts ends it, and the next start is a good one', async (t) => {
  const bellwire = await startBellwire(t)
  t.equal(await bellwire.stop(), 0)
  for (const milliseconds of [200, 500, 900]) {
    const started = bellwire.start().then(
      () => 'listens',
      () => 'ended',
    )
    await new Promise((resolve) => setTimeout(resolve, milliseconds))
    const ending = await bellwire.stop()
    t.ok([0, 'SIGTERM'].includes(ending), `after ${milliseconds} ms: ${ending}`)
    await started
    t.equal(await bellwire.postgresPid(), null, 'no PostgreSQL is left behind')
  }
  await bellwire.start()
  t.equal(await bellwire.stop(), 0)
})
