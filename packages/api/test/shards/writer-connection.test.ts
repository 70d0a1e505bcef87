/** The connection that commits, cut and taken over while batches are under way. */
import type { ApplicationId, UserId } from '@bellwire/common'
import { clientConfig, createPool } from '@bellwire/common/db'
import { PgMessageStore, type NewMessage } from '@bellwire/shard-worker/testing'
import pg from 'pg'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { startTestPostgres } from '../support/postgres.ts'

const connection = await startTestPostgres(t)
const pool = createPool(connection, { name: 'test', max: 3, onError: () => undefined })
t.teardown(() => pool.end())

function newStore(thread: number, exclusive = true): PgMessageStore {
  const log = pino({ level: 'silent' })
  return new PgMessageStore({ connection, thread, exclusive, log })
}

function openStore(t: Test, thread: number, exclusive = true): PgMessageStore {
  const store = newStore(thread, exclusive)
  t.teardown(() => store.close())
  return store
}

function messageOf(userId: number, message: string): NewMessage {
  return {
    userId: userId as UserId,
    applicationId: 1 as ApplicationId,
    title: '',
    message,
    priority: 0,
    extras: null,
    date: 0,
    idempotencyKey: '',
    fingerprint: null,
  }
}

/** Keeps every insert from going on until it is released. */
async function holdInserts(t: Test): Promise<() => Promise<void>> {
  const holder = new pg.Client(clientConfig(connection, { name: 'holder' }))
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('begin; lock table messages in exclusive mode')
  return async () => {
    await holder.query('rollback')
  }
}

async function backendsOf(thread: number): Promise<readonly number[]> {
  const { rows } = await pool.query<{ pid: number }>(
    'select pid from pg_stat_activity where application_name = $1',
    [`bellwire writer ${thread}`],
  )
  return rows.map(({ pid }) => pid)
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Until a statement of this thread waits for a lock. */
function untilBlocked(thread: number): Promise<void> {
  return until(async () => {
    const { rowCount } = await pool.query(
      "select 1 from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'",
      [`bellwire writer ${thread}`],
    )
    return (rowCount ?? 0) > 0
  })
}

async function textsOf(userId: number): Promise<readonly string[]> {
  const { rows } = await pool.query<{ message: string }>(
    'select message from messages where user_id = $1 order by id',
    [userId],
  )
  return rows.map(({ message }) => message)
}

const UNKNOWN = { name: 'BatchError', outcome: 'unknown' }

void t.test('WriterConnection tells of batches it lost and comes back by itself', async (t) => {
  const store = openStore(t, 1)
  await store.start()
  let returns = 0
  store.onUp(() => returns++)
  const release = await holdInserts(t)
  const batches = [store.insert([messageOf(1, 'first')]), store.insert([messageOf(1, 'second')])]
  const outcomes = Promise.allSettled(batches)
  await untilBlocked(1)
  for (const pid of await backendsOf(1)) await pool.query('select pg_terminate_backend($1)', [pid])

  for (const outcome of await outcomes) t.match(outcome, { status: 'rejected', reason: UNKNOWN })
  t.notOk(store.isUp)
  await t.rejects(store.insert([messageOf(1, 'away')]), UNKNOWN)
  await t.rejects(store.page(1 as UserId, 0), { code: 'DATABASE_UNAVAILABLE' })
  await release()
  await until(() => store.isUp)
  t.equal(returns, 1)
  t.match(await store.insert([messageOf(1, 'third')]), [{ kind: 'new' }])
  t.strictSame(await textsOf(1), ['third'])
})

void t.test(
  'WriterConnection ends an earlier session of its thread before it commits',
  async (t) => {
    const earlier = newStore(2)
    await earlier.start()
    const release = await holdInserts(t)
    const lost = earlier.insert([messageOf(2, 'late')]).catch(async (error: unknown) => {
      // A dead worker does not connect again.
      await earlier.close()
      return error
    })
    await untilBlocked(2)
    const [earlierBackend] = await backendsOf(2)

    const later = openStore(t, 2)
    await later.start()
    t.ok(later.isUp)
    t.notOk((await backendsOf(2)).includes(earlierBackend ?? 0), 'the earlier session is gone')
    t.match(await lost, UNKNOWN)
    await release()
    t.match(await later.insert([messageOf(2, 'now')]), [{ kind: 'new' }])
    t.strictSame(await textsOf(2), ['now'], 'nothing of the earlier session comes late')
  },
)

void t.test(
  'WriterConnection leaves the sessions of other threads and processes alone',
  async (t) => {
    const first = openStore(t, 3)
    const second = openStore(t, 4)
    await first.start()
    await second.start()
    const shared = [openStore(t, 3, false), openStore(t, 3, false)]
    for (const store of shared) await store.start()
    for (const store of [first, second, ...shared]) {
      t.match(await store.insert([messageOf(3, 'here')]), [{ kind: 'new' }])
    }
  },
)

void t.test('PgMessageStore, shared, tells the id before each row, whoever wrote it', async (t) => {
  const stores = [openStore(t, 5, false), openStore(t, 6, false), openStore(t, 5, false)]
  for (const store of stores) await store.start()
  const answers = await Promise.all(
    stores.flatMap((store, index) =>
      Array.from({ length: 20 }, (_, round) => {
        const name = `${index} ${round}`
        const rows = [messageOf(5, `${name} a`), messageOf(6, name), messageOf(5, `${name} b`)]
        return store.insert(rows)
      }),
    ),
  )
  const stored = answers.flat().filter(({ kind }) => kind === 'new')
  t.equal(stored.length, 180)
  const previousOf = new Map(
    stored.map((row) => (row.kind === 'new' ? [row.id, row.previousId] : [0, null])),
  )
  for (const userId of [5, 6]) {
    const { rows } = await pool.query<{ id: number }>(
      'select id from messages where user_id = $1 order by id',
      [userId],
    )
    const ids = rows.map(({ id }) => id)
    t.strictSame(
      ids.map((id) => previousOf.get(id)),
      [0, ...ids.slice(0, -1)],
    )
  }
})
