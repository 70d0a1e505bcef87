import t from 'tap'
import { startTestPostgres } from '../support/postgres.ts'
import {
  numberIn,
  startManagementServer,
  type TestApplication,
  textIn,
} from './management-server.ts'

const connection = await startTestPostgres(t)
const server = await startManagementServer(t, { connection })

t.test('[API24] POST /application 50 times at once makes 50 with keys of their own', async (t) => {
  const { basic } = await server.newUser()
  await server.call('POST /application', { basic, json: { name: 'first' } })
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      server.call('POST /application', { basic, json: { name: `app ${i}` } }),
    ),
  )
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.equal(new Set(answers.map((answer) => textIn(answer, 'sortKey'))).size, 50)
})

t.test('[API24] POST /application goes on behind a sort key that is none', async (t) => {
  const { basic } = await server.newUser()
  const names: string[] = []
  for (const sortKey of ['', 'zzz', '', '', '~ü', '', '']) {
    const name = `app ${names.length}`
    const answer = await server.call('POST /application', { basic, json: { name, sortKey } })
    t.equal(answer.status, 200)
    names.push(name)
  }
  const list = await server.call('GET /application', { basic })
  t.same(
    (list.json as ReadonlyArray<{ name: string }>).map(({ name }) => name),
    names,
  )
})

t.test('PUT /application changes all fields, keeps the order and tells the token', async (t) => {
  const user = await server.newUser()
  const { basic } = user
  const created = await server.call('POST /application', {
    basic,
    json: { name: 'old', description: 'd', defaultPriority: 4, sortKey: 'b11' },
  })
  const id = numberIn(created, 'id')
  const seen = server.changes.length
  const changed = await server.call(`PUT /application/${id}`, { basic, json: { name: 'new' } })
  t.match(changed.json, { name: 'new', description: '', defaultPriority: 0, sortKey: 'b11' })
  t.match(textIn(changed, 'token'), /^gtfya\.[\w-]{43}$/)
  t.not(textIn(changed, 'token'), textIn(created, 'token'), 'the stored form, not the private one')
  t.same(server.changes.slice(seen), [
    { kind: 'application-changed', userId: user.id, applicationId: id },
  ])
})

t.test('[API30] POST /application refuses what the database could not keep exactly', async (t) => {
  const { basic } = await server.newUser()
  const bodies = [
    { name: 'a\0b' },
    { name: 'n'.repeat(1001) },
    { name: 'n', description: '\0' },
    { name: 'n', sortKey: 'k'.repeat(256) },
    { name: 'n', defaultPriority: 2 ** 53 },
    { name: 'n', defaultPriority: -1e300 },
  ]
  for (const json of bodies) {
    const answer = await server.call('POST /application', { basic, json })
    t.match(answer, { status: 400, json: { error: 'Bad Request', errorCode: 400 } })
  }
  const edge = {
    name: '\ud800',
    defaultPriority: Number.MIN_SAFE_INTEGER,
    sortKey: 'ü'.repeat(255),
  }
  const answer = await server.call('POST /application', { basic, json: edge })
  t.match(answer.json, { ...edge, name: '\ufffd' })
})

t.test('[API25] DELETE /application takes the row first, then the messages', async (t) => {
  const user = await server.newUser()
  const { basic } = user
  const created = await server.call('POST /application', { basic, json: { name: 'n' } })
  const id = numberIn(created, 'id') as TestApplication['id']
  await server.insertMessages({ id, userId: user.id }, ['1', '2'])
  const seen = server.changes.length
  t.match(await server.call(`DELETE /application/${id}`, { basic }), { status: 200, text: '' })
  t.same(server.changes.slice(seen), [
    { kind: 'application-deleted', userId: user.id, applicationId: id },
  ])
  const left = server.db.selectFrom('messages').select('id').where('application_id', '=', id)
  t.same(await left.execute(), [])
})

t.test('DELETE /application refuses an internal application', async (t) => {
  const { basic } = await server.newUser()
  const id = numberIn(await server.call('POST /application', { basic, json: { name: 'n' } }), 'id')
  const change = server.db.updateTable('applications').set({ internal: true })
  await change.where('id', '=', id as never).execute()
  t.match(await server.call(`DELETE /application/${id}`, { basic }), {
    status: 400,
    json: { errorDescription: 'cannot delete internal application' },
  })
})

t.test('[AUTH9] Tokens have the old form when the request or the setting says so', async (t) => {
  const old = await startManagementServer(t, { connection, legacyTokens: true })
  const { basic } = await server.newUser()
  const cases = [
    [server, '', /^gtfy/],
    [server, '?legacyToken=true', /^[AC][\w.-]{14}$/],
    [old, '', /^[AC][\w.-]{14}$/],
    [old, '?legacyToken=false', /^gtfy/],
  ] as const
  for (const [at, query, form] of cases) {
    const json = { name: 'n' }
    const application = await at.call(`POST /application${query}`, { basic, json })
    t.match(textIn(application, 'token'), form)
    const client = await at.call(`POST /client${query}`, { basic, json })
    const token = textIn(client, 'token')
    t.match(token, form)
    t.equal((await at.call('GET /current/user', { token })).status, 200)
  }
  t.equal(
    (await server.call('POST /client?legacyToken=maybe', { basic, json: { name: 'n' } })).status,
    400,
  )
})

t.test(
  '[AUTH7] PUT security gives a new token of the same form and ends the old one',
  async (t) => {
    const { basic } = await server.newUser()
    for (const query of ['', '?legacyToken=true']) {
      const created = await server.call(`POST /application${query}`, { basic, json: { name: 'n' } })
      const path = `/application/${numberIn(created, 'id')}/security`
      const answer = await server.call(`PUT ${path}`, { basic, json: { regenerateToken: true } })
      const { token } = (answer.json as { regenerateToken: { token: string } }).regenerateToken
      t.equal(token.length, textIn(created, 'token').length)
      t.not(token, textIn(created, 'token'))
    }
  },
)
