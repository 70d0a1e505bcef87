/** Promise 7, a stop in the middle of things: everybody is told, and told the truth. */
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { RawConnection } from '../http/raw-connection.ts'
import { ApiClient, type Identity } from '../support/api-client.ts'
import { type Bellwire, startBellwire } from '../support/bellwire.ts'

/** Each start takes seconds on a busy machine. */
t.setTimeout(120_000)

const HOST = 'Host: h\r\n'

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

async function identities(api: ApiClient, count: 2): Promise<[Identity, Identity]>
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
