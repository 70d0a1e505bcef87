import { createDatabase, createPool, isUnavailable, toPushError } from '@bellwire/common/db'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { startTestPostgres } from '../support/postgres.ts'

const connection = await startTestPostgres(t)
const admin = open(t, 15_000).db

function open(t: Test, statementTimeoutMs: number, max = 1) {
  const errors: Error[] = []
  const pool = createPool(connection, {
    name: 'test',
    max,
    statementTimeoutMs,
    onError: (error) => errors.push(error),
  })
  const db = createDatabase(pool)
  t.teardown(() => db.destroy())
  return { db, pool, errors }
}

type Db = ReturnType<typeof open>['db']

async function backend(db: Db): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)
  return rows[0]?.pid ?? 0
}

async function terminate(pid: number): Promise<void> {
  await sql`select pg_terminate_backend(${pid}, 5000)`.execute(admin)
}

void t.test(
  '[STORE12] createPool() survives connections that are cut, idle or in use',
  async (t) => {
    const { db, errors } = open(t, 15_000)
    await terminate(await backend(db))
    t.ok(await backend(db), 'idle: the next query has a new one')

    const cut = db.transaction().execute(async (transaction) => {
      await terminate(await backend(transaction))
      await backend(transaction)
    })
    const error = await cut.catch((failure: unknown) => failure)
    t.equal(isUnavailable(error), true, 'in a transaction: it fails')
    t.ok(await backend(db), 'and the next query has a new one')

    const pid = await backend(db)
    const slow = sql`select pg_sleep(10)`.execute(db).catch((failure: unknown) => failure)
    await terminate(pid)
    t.equal(isUnavailable(await slow), true, 'in the middle of a query')
    t.ok(errors.every(isUnavailable))
    t.not(errors.length, 0, 'the owner of the pool was told')
  },
)

void t.test('[STORE12] createPool() bounds the time of a statement', async (t) => {
  const { db } = open(t, 100)
  const error = await sql`select pg_sleep(60)`.execute(db).catch((failure: unknown) => failure)
  t.match(error, { code: '57014' })
  t.match(toPushError(error), { code: 'DATABASE_UNAVAILABLE' })
})

void t.test(
  '[STORE12] createDatabase() leaves a connection that has stopped answering',
  async (t) => {
    const { db } = open(t, 100)
    const pid = await backend(db)
    process.kill(pid, 'SIGSTOP')
    const stopped = sql`select 1`.execute(db).catch((failure: unknown) => failure)
    t.match(await stopped, { message: 'Query read timeout' })
    t.equal(isUnavailable(await stopped), true)
    t.not(await backend(db), pid, 'the next query goes to another one')
    process.kill(pid, 'SIGCONT')
  },
)

void t.test('[STORE13] isUnavailable() is false for a query that is itself at fault', async (t) => {
  const { db } = open(t, 15_000)
  const pid = await backend(db)
  const faults = [
    sql`selec`,
    sql`select ${'\0'}::text`,
    sql`select 1 / 0`,
    sql`select from nowhere`,
    sql`insert into users (id, name, created_at) values (1, 'a', 0), (2, 'a', 0)`,
  ]
  for (const fault of faults) {
    const error = await fault.execute(db).catch((failure: unknown) => failure)
    t.equal(isUnavailable(error), false)
    t.equal(toPushError(error), error)
  }
  t.equal(await backend(db), pid, 'and keeps its connection')
})
