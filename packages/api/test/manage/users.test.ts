import t from 'tap'
import { startTestPostgres } from '../support/postgres.ts'
import {
  ADMIN,
  numberIn,
  startManagementServer,
  type TestApplication,
  textIn,
} from './management-server.ts'

const connection = await startTestPostgres(t)
const server = await startManagementServer(t, { connection })

t.test('[API27] Of two admins that delete or demote each other at once, one stays', async (t) => {
  for (const kind of ['DELETE', 'POST']) {
    const one = await server.newUser({ admin: true })
    const two = await server.newUser({ admin: true })
    const admins = server.db.selectFrom('users').select('id').where('admin', '=', true)
    const others = (await admins.execute()).filter(({ id }) => id !== one.id && id !== two.id)
    const asOthers = server.db.updateTable('users').where(
      'id',
      'in',
      others.map(({ id }) => id),
    )
    await asOthers.set({ admin: false }).execute()
    const answers = await Promise.all([
      server.call(`${kind} /user/${one.id}`, { basic: two.basic, json: { name: one.name } }),
      server.call(`${kind} /user/${two.id}`, { basic: one.basic, json: { name: two.name } }),
    ])
    t.equal((await admins.execute()).length, 1, kind)
    t.same(
      answers.map(({ status }) => status).filter((status) => status === 200),
      [200],
    )
    await asOthers.set({ admin: true }).execute()
  }
})

t.test('[API27] The last admin stays', async (t) => {
  const me = numberIn(await server.call('GET /current/user', { basic: ADMIN }), 'id')
  await server.db
    .deleteFrom('users')
    .where('id', '!=', me as never)
    .execute()
  const expected = { status: 400, json: { errorDescription: 'cannot delete last admin' } }
  t.match(await server.call(`DELETE /user/${me}`, { basic: ADMIN }), expected)
  const json = { name: 'admin', admin: false }
  t.match(await server.call(`POST /user/${me}`, { basic: ADMIN, json }), expected)
})

t.test('[API28] A name is unique, on creation and on change', async (t) => {
  const [one, two] = [await server.newUser(), await server.newUser()]
  const taken = { status: 400, json: { errorDescription: 'username already exists' } }
  const json = { name: one.name, pass: 'x' }
  t.match(await server.call('POST /user', { basic: ADMIN, json }), taken)
  t.match(await server.call(`POST /user/${two.id}`, { basic: ADMIN, json }), taken)
  const answers = await Promise.all(
    Array.from({ length: 5 }, () =>
      server.call('POST /user', { basic: ADMIN, json: { name: 'at once', pass: 'x' } }),
    ),
  )
  t.same(answers.map(({ status }) => status).sort(), [200, 400, 400, 400, 400])
})

t.test(
  '[AUTH11] Passwords that bcrypt would cut, and names no column holds, are refused',
  async (t) => {
    const user = await server.newUser()
    const long = 'ü'.repeat(37)
    const create = (json: object) => server.call('POST /user', { basic: ADMIN, json })
    t.equal((await create({ name: 'long1', pass: long })).status, 400)
    t.equal((await create({ name: 'long2', pass: 'ü'.repeat(36) })).status, 200)
    t.equal((await create({ name: 'n'.repeat(181), pass: 'x' })).status, 400)
    t.equal((await create({ name: 'a\0b', pass: 'x' })).status, 400)
    t.equal((await create({ name: 'n', pass: 'a\0b' })).status, 400)
    for (const path of ['/current/user/password', `/user/${user.id}`]) {
      const basic = path.startsWith('/user') ? ADMIN : user.basic
      const json = { name: user.name, pass: long }
      t.equal((await server.call(`POST ${path}`, { basic, json })).status, 400)
    }
    t.equal((await server.call('GET /current/user', { basic: user.basic })).status, 200)
  },
)

t.test('[API25] Deleting a user leaves no row of it, and its tokens end', async (t) => {
  const user = await server.newUser()
  const { basic } = user
  const json = { name: 'n' }
  const application = await server.call('POST /application', { basic, json })
  const token = textIn(await server.call('POST /client', { basic, json }), 'token')
  t.equal((await server.call('GET /message', { token })).status, 200)
  const id = numberIn(application, 'id') as TestApplication['id']
  await server.insertMessages({ id, userId: user.id }, ['1', '2'])
  const seen = server.changes.length
  t.match(await server.call(`DELETE /user/${user.id}`, { basic: ADMIN }), { status: 200, text: '' })
  t.same(server.changes.slice(seen), [{ kind: 'user-deleted', userId: user.id }])
  for (const table of ['applications', 'clients', 'messages'] as const) {
    const rows = server.db.selectFrom(table).select('id').where('user_id', '=', user.id)
    t.same(await rows.execute(), [], table)
  }
  t.equal((await server.call('GET /message', { token })).status, 401)
  t.equal((await server.call('GET /message', { basic })).status, 401)
})

t.test('[API28] Strangers register only when it is switched on, and never as admins', async (t) => {
  const open = await startManagementServer(t, { connection, env: { GOTIFY_REGISTRATION: 'true' } })
  const json = { name: 'a stranger', pass: 'x' }
  t.equal((await server.call('POST /user', { json })).status, 401)
  t.equal((await open.call('POST /user', { json: { ...json, admin: true } })).status, 401)
  t.match(await open.call('POST /user', { json }), { status: 200, json: { admin: false } })
  t.match((await open.call('GET /gotifyinfo')).json, { register: true, oidc: false })
})

t.test('[AUTH7] A new password counts at once, the old one no more', async (t) => {
  const user = await server.newUser()
  const change = { basic: user.basic, json: { pass: 'changed' } }
  t.equal((await server.call('POST /current/user/password', change)).status, 200)
  t.equal((await server.call('GET /current/user', { basic: user.basic })).status, 401)
  t.equal((await server.call('GET /current/user', { basic: `${user.name}:changed` })).status, 200)
})
