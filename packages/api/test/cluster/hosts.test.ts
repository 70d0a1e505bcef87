/** Two processes on one external PostgreSQL: messages and changes get from each to the other. */
import { clientConfig } from '@bellwire/common/db'
import pg from 'pg'
import t, { type Test as Tap } from 'tap'
import { type Answer, idOf, type Identity } from '../support/api-client.ts'
import { openStream } from '../support/ws-client.ts'
import { startTestPostgres } from '../support/postgres.ts'
import { checkDelivered, onlyGrow, openStreams } from '../promises/traffic.ts'
import { startHost, within } from './two-processes.ts'

const connection = await startTestPostgres(t)
const [a, b] = await Promise.all([startHost(t, connection), startHost(t, connection)])

t.test('[CLU1] A message published at one process reaches the streams of another', async (t) => {
  const user = await a.api.identity()
  const stream = await openStream(b.port, { token: user.clientToken })
  const first = await a.api.publish(user.applicationToken, 'one')
  await stream.untilId(idOf(first.text))
  const second = await b.api.publish(user.applicationToken, 'two')
  await stream.untilId(idOf(second.text))
  t.strictSame(stream.texts, [first.text, second.text], 'the same texts')
  stream.destroy()
})

t.test('[CLU2] Ids grow without a gap on every stream while both publish to a user', async (t) => {
  const user = await a.api.identity()
  const token = { token: user.clientToken, after: 0 }
  const streams = (
    await Promise.all([openStreams(3, a.port, token), openStreams(3, b.port, token)])
  ).flat()
  const publishes = Array.from({ length: 100 }, async (_, number) => {
    const { api } = number % 2 === 0 ? a : b
    const answer = await api.publish(user.applicationToken, `message ${number}`)
    t.equal(answer.status, 200)
  })
  await Promise.all(publishes)
  const history = await a.api.history(user)
  t.equal(history.length, 100)
  await checkDelivered(t, streams, history)
  for (const stream of streams) {
    t.ok(onlyGrow(stream.ids))
    stream.destroy()
  }
})

t.test(
  '[CLU3] A publish sent after another was acknowledged elsewhere gets a greater id',
  async (t) => {
    const user = await a.api.identity()
    let before = 0
    for (let number = 0; number < 20; number++) {
      const { api } = number % 2 === 0 ? a : b
      const id = idOf((await api.publish(user.applicationToken, 'next')).text)
      t.ok(id > before)
      before = id
    }
  },
)

/** Uses the token at b, so that b has it in its cache. */
async function known(t: Tap): Promise<Identity> {
  const user = await a.api.identity()
  t.equal((await b.api.publish(user.applicationToken, 'x')).status, 200)
  t.equal((await b.api.call('GET /client', { token: user.clientToken })).status, 200)
  return user
}

t.test('[CLU4] A change at one process holds at the other within a second', async (t) => {
  await t.test('a deleted client: its token is refused, its streams end', async (t) => {
    const user = await known(t)
    const stream = await openStream(b.port, { token: user.clientToken })
    const { basic, clientId } = user
    t.equal((await a.api.call(`DELETE /client/${clientId}`, { basic })).status, 200)
    const refused = await within(1_000, async () => {
      const { status } = await b.api.call('GET /client', { token: user.clientToken })
      return status === 401
    })
    t.ok(Number.isFinite(refused), 'refused')
    t.same(await stream.closed, { code: null })
  })

  await t.test('a deleted application', async (t) => {
    const { basic, applicationId, applicationToken } = await known(t)
    const deleted = await a.api.call(`DELETE /application/${applicationId}`, { basic })
    t.equal(deleted.status, 200)
    const refused = await within(1_000, async () => {
      return (await b.api.publish(applicationToken, 'x')).status === 401
    })
    t.ok(Number.isFinite(refused))
  })

  await t.test('a deleted user', async (t) => {
    const { userId, applicationToken, clientToken } = await known(t)
    const stream = await openStream(b.port, { token: clientToken })
    const deleted = await a.api.call(`DELETE /user/${userId}`, { basic: 'admin:admin' })
    t.equal(deleted.status, 200)
    const refused = await within(1_000, async () => {
      return (await b.api.publish(applicationToken, 'x')).status === 401
    })
    t.ok(Number.isFinite(refused))
    t.same(await stream.closed, { code: null })
  })

  await t.test('a changed password', async (t) => {
    const { basic } = await known(t)
    t.equal((await b.api.call('GET /client', { basic })).status, 200)
    const json = { pass: 'another' }
    t.equal((await a.api.call('POST /current/user/password', { basic, json })).status, 200)
    const refused = await within(1_000, async () => {
      return (await b.api.call('GET /client', { basic })).status === 401
    })
    t.ok(Number.isFinite(refused))
  })

  await t.test('elevation', async (t) => {
    const { basic, clientId, clientToken } = await known(t)
    const deletion = (): Promise<Answer> =>
      b.api.call('DELETE /client/999999', { token: clientToken })
    t.equal((await deletion()).status, 403, 'not elevated')
    const json = { durationSeconds: 60 }
    const elevated = await a.api.call(`POST /client/${clientId}/elevate`, { basic, json })
    t.equal(elevated.status, 204)
    const allowed = await within(1_000, async () => (await deletion()).status === 404)
    t.ok(Number.isFinite(allowed))
  })
})

t.test('[WS9] Messages that another process deletes at once have an event each', async (t) => {
  const user = await known(t)
  const stream = await openStream(b.port, { token: user.clientToken, events: '1' })
  const deleted = { kind: 'message-deleted', userId: user.userId, messageIds: [7, 8, 9] }
  const database = new pg.Client(clientConfig(connection, { name: 'test' }))
  await database.connect()
  await database.query(`insert into changes (at, origin, change) values (0, 'retention', $1)`, [
    JSON.stringify(deleted),
  ])
  await database.end()
  await stream.until(() => stream.texts.length >= 3)
  t.strictSame(
    stream.texts,
    [7, 8, 9].map((id) => JSON.stringify({ event: 'message-deleted', id })),
  )
  stream.destroy()
})

t.test('[CLU5] Without hints a message is found by the poll', async (t) => {
  const deaf = await startHost(t, connection, { GOTIFY_SERVER_CLUSTER_HINTS: 'none' })
  const user = await a.api.identity()
  const stream = await openStream(deaf.port, { token: user.clientToken })
  const ids: number[] = []
  for (let number = 0; number < 10; number++) {
    ids.push(idOf((await a.api.publish(user.applicationToken, `message ${number}`)).text))
  }
  await stream.untilId(ids.at(-1) ?? 0)
  t.strictSame(stream.ids, ids)
  stream.destroy()
})
