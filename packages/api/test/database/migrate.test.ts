import {
  clientConfig,
  DatabaseStartError,
  migrate,
  type DatabaseConnection,
} from '@bellwire/common/db'
import { sql, type Migration } from 'kysely'
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { startTestPostgres } from '../support/postgres.ts'

const connection = await startTestPostgres(t)

async function run(text: string, target = connection): Promise<unknown[]> {
  const client = new pg.Client(clientConfig(target, { name: 'test' }))
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows.map((row: unknown[]) => row[0])
  } finally {
    await client.end()
  }
}

async function emptyDatabase(options = ''): Promise<DatabaseConnection> {
  const database = `test_${randomUUID().replaceAll('-', '')}`
  await run(`create database ${database} ${options}`)
  return { ...connection, database }
}

function adds(table: string): Migration {
  return {
    up: async (db) => {
      await sql`create table ${sql.table(table)} (id int)`.execute(db)
    },
  }
}

void t.test('migrate() has nothing to do the second time', async (t) => {
  const target = await emptyDatabase()
  t.match(await migrate(target), ['0001_initial'])
  t.same(await migrate(target), [])
})

void t.test('[STORE10] migrate() runs once when several processes start at once', async (t) => {
  const target = await emptyDatabase()
  const results = await Promise.all([1, 2, 3, 4, 5, 6].map(() => migrate(target)))
  const ran = results.filter((names) => names.length > 0)
  t.equal(ran.length, 1)
  t.match(ran[0], ['0001_initial'])
})

void t.test('[STORE10] migrate() leaves nothing behind when a step fails', async (t) => {
  const target = await emptyDatabase()
  const steps = {
    '0001_first': adds('first'),
    '0002_bad': { up: () => Promise.reject(new Error('no luck')) },
  }
  await t.rejects(migrate(target, steps), { message: 'no luck' })
  t.same(await run("select to_regclass('first')::text", target), [null])
  t.same(await migrate(target, { '0001_first': adds('first'), '0002_good': adds('second') }), [
    '0001_first',
    '0002_good',
  ])
})

void t.test('[STORE10] migrate() refuses a database that is newer than the program', async (t) => {
  const target = await emptyDatabase()
  const known = { '0001_first': adds('first') }
  await migrate(target, { ...known, '0002_newer': adds('second') })
  const refused = migrate(target, known)
  await t.rejects(refused, DatabaseStartError)
  await t.rejects(refused, {
    message: /newer than this program: it went through "0002_newer".*nothing beyond "0001_first"/,
  })
})

void t.test(
  "[STORE10] migrate() refuses a database that holds another program's tables",
  async (t) => {
    const target = await emptyDatabase()
    await run('create table users (id int)', target)
    const refused = migrate(target)
    await t.rejects(refused, DatabaseStartError)
    await t.rejects(refused, { message: /relation "users" already exists.*database of its own/ })
  },
)

void t.test(
  '[API24] migrate() sorts keys byte by byte, whatever language the database speaks',
  async (t) => {
    const target = await emptyDatabase("template template0 locale_provider icu icu_locale 'en-US'")
    await migrate(target)
    const values = ['a1', 'Zz', 'a0', 'aA'].map((key) => `(1, '${key}', '', 0, '${key}')`)
    await run("insert into users (id, name, created_at) values (1, 'a', 0)", target)
    await run(
      `insert into applications (user_id, token, name, created_at, sort_key) values ${values.join()}`,
      target,
    )
    t.same(await run('select sort_key from applications order by sort_key', target), [
      'Zz',
      'a0',
      'a1',
      'aA',
    ])
  },
)
