/** Promise 7, a stop in the middle of things: everybody is told, and told the truth. */
import { install } from '@sinonjs/fake-timers'
import { clientConfig } from '@bellwire/common/db'
import { loadConfig } from '@bellwire/common/config'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { prepareDatabase } from '../../src/database/prepare-database.ts'
import { startGateway } from '../../src/gateway.ts'
import { RawConnection } from '../http/raw-connection.ts'
import { ApiClient, type Identity } from '../support/api-client.ts'
import { type Bellwire, startBellwire } from '../support/bellwire.ts'
import { startTestPostgres } from '../support/postgres.ts'
import { offerStream, openStream, StreamClient, upgradeRequest } from '../support/ws-client.ts'
import { openStreams } from './traffic.ts'

/** Each start takes seconds on a busy machine. */
t.setTimeout(120_000)

const HOST = 'Host: h\r\n'
const JOBS_PERIOD_MS = 5 * 60 * 1_000

t.test('[LIFE26] A stream that is asked for on a stop is refused, however far it is', async (t) => {
  const bellwire = await startBellwire(t)
  const api = new ApiClient(bellwire)
  t.teardown(() => api.close())
  const [user, lookedUp, registered] = await identities(api, 3)
  // So many that closing them takes a while.
  const streams = await openStreams(20, bellwire.port, { token: user.clientToken })
  const late = await Promise.all(Array.from({ length: 6 }, () => RawConnection.open(bellwire.port)))
  for (const connection of late) {
    connection.write(`GET /version HTTP/1.1\r\n${HOST}\r\n`)
    t.equal((await connection.answer())?.status, 200)
  }
  await api.call('GET /current/user', { token: registered.clientToken })
  const lock = await lockTables(t, databaseOf(bellwire), 'clients, messages')
  const waiting = [lookedUp, registered].map(({ clientToken }) =>
    offerStream(bellwire.port, { token: clientToken }),
  )
  await lock.keepsWaiting(2)

  const ending = bellwire.stop()
  await Promise.race(streams.map((stream) => stream.closed))
  for (const connection of late) {
    connection.write(upgradeRequest(bellwire.port, { token: user.clientToken }))
    const answer = await connection.answer({ head: true })
    t.equal(answer?.status, 503, 'on a connection that is open still')
    t.equal(answer?.headers.get('retry-after'), '1')
  }
  for (const offer of await Promise.all(waiting)) {
    t.notOk(offer instanceof StreamClient)
    if (offer instanceof StreamClient) continue
    t.equal(offer.status, 503)
    t.match(offer.text, /"errorCode":503,"errorDescription":"the server is shutting down"/)
  }
  for (const stream of streams) t.same(await stream.closed, { code: 1001 })
  await lock.release()
  t.equal(await ending, 0)
})

t.test('[LIFE27] A publish that a stop cuts off is told whether it may be stored', async (t) => {
  const bellwire = await startBellwire(t)
  const api = new ApiClient(bellwire)
  t.teardown(() => api.close())
  const [submitted, lookedUp] = await identities(api, 2)
  await api.publish(submitted.applicationToken, 'its token is known now')
  const lock = await lockTables(t, databaseOf(bellwire), 'applications, messages')
  const half = await RawConnection.open(bellwire.port)
  const token = `X-Gotify-Key: ${submitted.applicationToken}\r\n`
  half.write(`POST /message HTTP/1.1\r\n${HOST}${token}Content-Length: 100\r\n\r\n{"message":`)
  const publishes = [submitted, lookedUp].map(({ applicationToken }) =>
    api.publish(applicationToken, 'late'),
  )
  await lock.keepsWaiting(2)

  const ending = bellwire.stop()
  const answer = await half.answer()
  t.equal(answer?.status, 408, 'as a management request whose body is late')
  t.match(answer?.body, 'the request body did not arrive in time')
  const [unsure, refused] = await Promise.all(publishes)
  t.equal(unsure?.status, 503)
  t.match(unsure?.text, 'may or may not be stored')
  t.equal(refused?.status, 503)
  t.match(refused?.text, 'nothing was stored')
  await lock.release()
  t.equal(await ending, 0)
  await bellwire.start()
  t.equal((await api.history(lookedUp)).length, 0, 'and nothing was')
})

t.test('[LIFE2] A stop closes the streams while jobs are at work', async (t) => {
  const connection = await startTestPostgres(t)
  const dataDir = await mkdtemp(join(tmpdir(), 'bellwire-test-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const { config } = loadConfig({
    env: {
      GOTIFY_DATADIR: dataDir,
      GOTIFY_SERVER_LISTENADDR: '127.0.0.1',
      GOTIFY_SERVER_PORT: '0',
      GOTIFY_PASSSTRENGTH: '4',
    },
    cwd: dataDir,
    home: '',
    cpuCount: 2,
  })
  const log = pino({ level: 'silent' })
  await prepareDatabase(config, connection, log)
  const clock = install({ toFake: ['setInterval', 'clearInterval'] })
  t.teardown(() => clock.uninstall())
  const gateway = await startGateway({ config, connection, shared: false, log })
  const api = new ApiClient(gateway)
  t.teardown(() => api.close())
  const { clientToken: token } = await api.identity()
  const stream = await openStream(gateway.port, { token })
  const lock = await lockTables(t, clientConfig(connection, { name: 'holder' }), 'messages')
  clock.tick(JOBS_PERIOD_MS)
  await lock.keepsWaiting(2)

  const asked = performance.now()
  const stopped = gateway.stop()
  t.same(await stream.closed, { code: 1001 })
  const closed = performance.now()
  await lock.release()
  await stopped
  // A job is given 1 s to end. A stream alone is closed within 0.1 s, and the rest takes 0.2 s at least.
  t.ok(closed - asked < performance.now() - closed, 'the stream did not wait for them')
})

async function identities(api: ApiClient, count: 2): Promise<[Identity, Identity]>
async function identities(api: ApiClient, count: 3): Promise<[Identity, Identity, Identity]>
async function identities(api: ApiClient, count: number): Promise<Identity[]> {
  return Promise.all(Array.from({ length: count }, () => api.identity()))
}

function databaseOf(bellwire: Bellwire): pg.ClientConfig {
  return { host: join(bellwire.dataDir, 'postgres/run'), user: 'bellwire', database: 'bellwire' }
}

/** Keeps every statement on these tables waiting until it is released. */
async function lockTables(t: Test, database: pg.ClientConfig, tables: string) {
  const holder = new pg.Client(database)
  holder.on('error', () => undefined)
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query(`begin; lock table ${tables} in access exclusive mode`)
  return {
    /** Resolves when so many statements wait. */
    async keepsWaiting(count: number): Promise<void> {
      for (;;) {
        const { rows } = await holder.query('select from pg_locks where not granted')
        if (rows.length >= count) return
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    async release(): Promise<void> {
      await holder.query('rollback')
      await holder.end()
    },
  }
}
