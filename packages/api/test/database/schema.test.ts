import type { ApplicationId, MessageId, UserId } from '@bellwire/common'
import {
  createDatabase,
  createPool,
  type ApplicationRow,
  type NewApplication,
  type NewMessage,
} from '@bellwire/common/db'
import { randomBytes, randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import { startTestPostgres } from '../support/postgres.ts'

const connection = await startTestPostgres(t)
const db = createDatabase(
  createPool(connection, { name: 'test', max: 4, onError: () => undefined }),
)
t.teardown(() => db.destroy())

const CREATED_AT = 1_700_000_000_123

async function addUser(): Promise<UserId> {
  const user = { name: randomUUID(), pass: 'x', created_at: CREATED_AT, oidc_id: null }
  const { id } = await db.insertInto('users').values(user).returning('id').executeTakeFirstOrThrow()
  return id
}

function application(userId: UserId, sortKey: string): NewApplication {
  return {
    user_id: userId,
    token: randomUUID(),
    token_hash: randomBytes(32),
    name: 'backup',
    created_at: CREATED_AT,
    last_used: null,
    sort_key: sortKey,
  }
}

async function addApplication(userId: UserId, sortKey: string): Promise<ApplicationRow> {
  return db
    .insertInto('applications')
    .values(application(userId, sortKey))
    .returningAll()
    .executeTakeFirstOrThrow()
}

function message(userId: UserId, applicationId: ApplicationId): NewMessage {
  return {
    user_id: userId,
    application_id: applicationId,
    title: 'Grüße \u{1F514}',
    message: 'line 1\nline 2',
    priority: -5,
    extras: '{"a": 1.0}',
    date: CREATED_AT,
    idempotency_key: null,
    idempotency_hash: null,
  }
}

void t.test('Database gives back what was stored', async (t) => {
  const userId = await addUser()
  const users = await db.selectFrom('users').selectAll().where('id', '=', userId).execute()
  t.match(users, [{ admin: false, created_at: CREATED_AT, oidc_id: null, pass: 'x' }])

  const stored = await addApplication(userId, 'a0')
  const { token, token_hash, ...rest } = stored
  t.type(token_hash, Buffer)
  t.type(token, 'string')
  t.same(rest, {
    id: stored.id,
    user_id: userId,
    name: 'backup',
    description: '',
    internal: false,
    image: '',
    default_priority: 0,
    created_at: CREATED_AT,
    last_used: null,
    sort_key: 'a0',
    retention_days: null,
    retention_count: null,
  })

  const client = {
    user_id: userId,
    token: randomUUID(),
    token_hash: null,
    name: 'phone',
    created_at: CREATED_AT,
    last_used: CREATED_AT + 1,
    elevated_until: null,
    expires_at: CREATED_AT + 2,
  }
  const [row] = await db.insertInto('clients').values(client).returningAll().execute()
  t.match(row, { ...client, expires_after_inactivity_seconds: 0 })
  t.same(
    await db
      .selectFrom('clients')
      .select('id')
      .where('expires_at', '<', CREATED_AT + 3)
      .execute(),
    [{ id: row?.id }],
    'times compare as the numbers they are',
  )

  const sent = message(userId, stored.id)
  const [got] = await db.insertInto('messages').values(sent).returningAll().execute()
  t.same(got, { id: got?.id, ...sent }, 'text, sign and extras exactly as they were')
})

void t.test('[STORE11] Database never hands out an id twice', async (t) => {
  const userId = await addUser()
  const first = await addApplication(userId, 'a0')
  await db.deleteFrom('applications').where('id', '=', first.id).execute()
  const second = await addApplication(userId, 'a0')
  t.ok(second.id > first.id)

  const rolledBack = db.transaction().execute(async (transaction) => {
    const [row] = await transaction
      .insertInto('messages')
      .values(message(userId, second.id))
      .returning('id')
      .execute()
    throw Object.assign(new Error('undo'), { id: row?.id })
  })
  const { id } = await rolledBack.catch((error: unknown) => error as { id: MessageId })
  const [next] = await db
    .insertInto('messages')
    .values(message(userId, second.id))
    .returning('id')
    .execute()
  t.ok(next && next.id > id)
})

void t.test('Database takes the ids of rows that move in', async (t) => {
  const id = 9_000_000 as UserId
  const user = { id, name: randomUUID(), pass: null, created_at: CREATED_AT, oidc_id: 'subject' }
  await db.insertInto('users').values(user).execute()
  const found = await db.selectFrom('users').select('id').where('oidc_id', '=', 'subject').execute()
  t.same(found, [{ id }])
})

void t.test('[API24] Database sorts applications byte by byte', async (t) => {
  const userId = await addUser()
  for (const key of ['a1', 'Zz', 'a0', 'aA', 'zzz']) await addApplication(userId, key)
  const rows = await db
    .selectFrom('applications')
    .select('sort_key')
    .where('user_id', '=', userId)
    .orderBy('sort_key')
    .execute()
  t.same(
    rows.map((row) => row.sort_key),
    ['Zz', 'a0', 'a1', 'aA', 'zzz'],
  )
  await t.rejects(addApplication(userId, 'a0'), { code: '23505' })
  await addApplication(await addUser(), 'a0')
})

void t.test('[PUB13] Database keeps an idempotency key once for an application', async (t) => {
  const userId = await addUser()
  const [one, two] = [await addApplication(userId, 'a0'), await addApplication(userId, 'a1')]
  const add = (applicationId: ApplicationId, key: string | null) =>
    db
      .insertInto('messages')
      .values({ ...message(userId, applicationId), idempotency_key: key })
      .execute()
  await add(one.id, 'k')
  await add(two.id, 'k')
  await add(one.id, null)
  await add(one.id, null)
  await t.rejects(add(one.id, 'k'), {
    code: '23505',
    constraint: 'messages_application_id_idempotency_key',
  })
})

void t.test(
  "[API25] Database deletes a user's applications and clients with the user",
  async (t) => {
    const userId = await addUser()
    await addApplication(userId, 'a0')
    await db.deleteFrom('users').where('id', '=', userId).execute()
    const left = await db
      .selectFrom('applications')
      .where('user_id', '=', userId)
      .select('id')
      .execute()
    t.same(left, [])
  },
)

void t.test('[STORE11] Database reads bigint as a number or not at all', async (t) => {
  const value = (text: string) =>
    sql<{ value: unknown }>`select ${sql.lit(text)}::bigint as value`.execute(db)
  t.same((await value('9007199254740991')).rows, [{ value: Number.MAX_SAFE_INTEGER }])
  t.same((await value('-9007199254740991')).rows, [{ value: Number.MIN_SAFE_INTEGER }])
  await t.rejects(value('9007199254740992'), RangeError)
  t.same((await sql`select count(*) from users where false`.execute(db)).rows, [{ count: 0 }])
})
