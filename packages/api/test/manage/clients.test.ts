import type { ApplicationId, ClientId } from '@bellwire/common'
import t from 'tap'
import { Changes, type Change } from '../../src/changes.ts'
import { type ExpiryJobDeps, runExpiry, startExpiryJob } from '../../src/manage/expiry-job.ts'
import { startTestPostgres } from '../support/postgres.ts'
import { numberIn, startManagementServer, textIn } from './management-server.ts'

const HOUR = 3_600_000
const server = await startManagementServer(t, { connection: await startTestPostgres(t) })

async function newClient(basic: string, expiresAfterInactivitySeconds = 0) {
  const json = { name: 'phone', expiresAfterInactivitySeconds }
  const answer = await server.call('POST /client', { basic, json })
  return { id: numberIn(answer, 'id') as ClientId, token: textIn(answer, 'token') }
}

t.test('[AUTH13] A client that has expired is gone for every endpoint at once', async (t) => {
  const { basic } = await server.newUser()
  const { id, token } = await newClient(basic, 60)
  t.equal((await server.call('GET /current/user', { token })).status, 200)
  server.advance(61_000)
  t.equal((await server.call('GET /current/user', { token })).status, 401)
  t.same((await server.call('GET /client', { basic })).json, [])
  const requests = [`PUT /client/${id}`, `DELETE /client/${id}`, `POST /client/${id}/elevate`]
  for (const request of requests) {
    const json = { name: 'n', durationSeconds: 9 }
    t.equal((await server.call(request, { basic, json })).status, 404, request)
  }
})

t.test('[AUTH13] Use of a client moves its expiry, and a read shows it', async (t) => {
  const { basic } = await server.newUser()
  const { token } = await newClient(basic, 3600)
  const expiry = async () => {
    const [client] = (await server.call('GET /client', { basic })).json as ReadonlyArray<{
      expiresAt: string
    }>
    return Date.parse(client?.expiresAt ?? '')
  }
  const before = await expiry()
  server.advance(HOUR / 2)
  await server.call('GET /message', { token })
  t.ok((await expiry()) >= before + HOUR / 2)
})

t.test('[API30] Durations that would overflow are refused', async (t) => {
  const { basic } = await server.newUser()
  const { id } = await newClient(basic)
  for (const durationSeconds of [9_223_372_037, -9_223_372_037, 1e300, 2 ** 53]) {
    const json = { durationSeconds, name: 'n', expiresAfterInactivitySeconds: durationSeconds }
    for (const request of ['POST /client', `PUT /client/${id}`, `POST /client/${id}/elevate`]) {
      t.equal((await server.call(request, { basic, json })).status, 400)
    }
  }
  const json = { durationSeconds: 9_223_372_036 }
  t.equal((await server.call(`POST /client/${id}/elevate`, { basic, json })).status, 204)
})

t.test('[AUTH7] Elevation counts at once and ends by a negative duration', async (t) => {
  const { basic } = await server.newUser()
  const { id, token } = await newClient(basic)
  const remove = () => server.call('DELETE /client/0', { token })
  const elevate = (durationSeconds: number) =>
    server.call(`POST /client/${id}/elevate`, { basic, json: { durationSeconds } })
  t.equal((await remove()).status, 403)
  await elevate(60)
  t.equal((await remove()).status, 404)
  await elevate(-1)
  t.equal((await remove()).status, 403)
  t.notMatch((await server.call('GET /client', { basic })).text, /elevatedUntil/)
})

t.test('Deleting, renaming and elevating a client is announced', async (t) => {
  const user = await server.newUser()
  const { id, token } = await newClient(user.basic)
  const seen = server.changes.length
  const { basic } = user
  await server.call(`PUT /client/${id}`, { basic, json: { name: 'tablet' } })
  await server.call(`POST /client/${id}/elevate`, { basic, json: { durationSeconds: 5 } })
  await server.call('POST /auth/logout', { token })
  const about = { userId: user.id, clientId: id }
  t.same(server.changes.slice(seen), [
    { kind: 'client-changed', ...about },
    { kind: 'client-changed', ...about },
    { kind: 'client-deleted', ...about },
  ])
  t.equal((await server.call('GET /message', { token })).status, 401)
})

t.test(
  'A login makes an elevated client for a week of inactivity and sets the cookie',
  async (t) => {
    const user = await server.newUser()
    const json = { name: 'browser' }
    const answer = await server.call('POST /auth/local/login', { basic: user.basic, json })
    const cookie = answer.headers.get('set-cookie') ?? ''
    t.match(
      cookie,
      /^gotify-client-token=gtfyc\.[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/,
    )
    const headers = { cookie: cookie.split(';')[0] ?? '' }
    t.equal((await server.call('DELETE /client/0', { headers })).status, 404, 'elevated')
    server.advance(2 * HOUR)
    t.equal((await server.call('DELETE /client/0', { headers })).status, 403, 'not for ever')
    const left = await server.call('POST /auth/logout', { headers })
    t.match(left.headers.get('set-cookie'), /gotify-client-token=; Path=\/; Max-Age=0; HttpOnly/)
    t.equal((await server.call('GET /message', { headers })).status, 401)
  },
)

t.test(
  '[AUTH13] runExpiry() keeps connected clients, deletes expired ones and announces them',
  async (t) => {
    const user = await server.newUser()
    const connected = await newClient(user.basic, 60)
    const gone = await newClient(user.basic, 60)
    const unlimited = await newClient(user.basic)
    const announced: Change[] = []
    const changes = new Changes()
    changes.listen((change) => announced.push(change))
    const now = Date.now() + 100 * HOUR
    await runExpiry({
      db: server.db,
      changes,
      clock: { now: () => now },
      connectedClients: () => [connected.id],
      onError: (error) => t.fail(String(error)),
    })
    const clients = server.db.selectFrom('clients').selectAll().where('user_id', '=', user.id)
    const rows = await clients.orderBy('id').execute()
    t.match(rows, [
      { id: connected.id, last_used: now, expires_at: now + 60_000 },
      { id: unlimited.id, last_used: null, expires_at: null },
    ])
    const mine = announced.filter((change) => change.userId === user.id)
    t.same(mine, [{ kind: 'client-deleted', userId: user.id, clientId: gone.id }])
  },
)

t.test(
  '[API25] runExpiry() deletes messages whose application is gone, and no others',
  async (t) => {
    const user = await server.newUser()
    const created = await server.call('POST /application', {
      basic: user.basic,
      json: { name: 'n' },
    })
    const id = numberIn(created, 'id') as ApplicationId
    const [kept] = await server.insertMessages({ id, userId: user.id }, ['kept'])
    for (const gone of [id + 1_000, id + 2_000, 0] as ApplicationId[]) {
      await server.insertMessages({ id: gone, userId: user.id }, ['1', '2'])
    }
    const messages = server.db.selectFrom('messages').select('id')
    const deps: ExpiryJobDeps = {
      db: server.db,
      changes: new Changes(),
      clock: { now: () => 0 },
      connectedClients: () => [],
      onError: (error) => t.fail(String(error)),
    }
    await runExpiry(deps, AbortSignal.abort())
    t.equal((await messages.execute()).length, 7, 'not once it is stopped')
    await runExpiry(deps)
    t.same(await messages.execute(), [{ id: kept }])
  },
)

t.test('startExpiryJob() goes on after a run that failed and stops when told', async (t) => {
  let runs = 0
  const failed = new Promise<void>((resolve) => {
    const job = startExpiryJob(
      {
        db: server.db,
        changes: new Changes(),
        clock: { now: () => 0 },
        connectedClients: () => {
          if (++runs < 3) throw new Error('not now')
          return []
        },
        onError: (error) => {
          t.match(error, { message: 'not now' })
          if (runs === 2) resolve()
        },
      },
      5,
    )
    t.teardown(() => job.stop())
  })
  const alive = setInterval(() => undefined, 100)
  await failed
  clearInterval(alive)
})
