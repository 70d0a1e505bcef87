/** What fails while an import runs ends it with one line that says why, and changes nothing. */
import type { DatabaseConnection } from '@bellwire/common/db'
import { execFileSync } from 'node:child_process'
import { chmod, copyFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import Sqlite from 'libsql'
import type pg from 'pg'
import t, { type Test } from 'tap'
import { rowsOf3, writeGotify3 } from './gotify-database.ts'
import { addressOf, connectTo, countsIn, GOTIFY_ON_POSTGRES, Imports, run } from './imports.ts'

t.setTimeout(180_000)

const imports = await Imports.start(t)

async function gotifyOnPostgres(): Promise<DatabaseConnection> {
  const database = await imports.newDatabase()
  await run(database, GOTIFY_ON_POSTGRES)
  return database
}

/** Keeps imports waiting at a table. */
async function lock(t: Test, on: DatabaseConnection, table: string): Promise<pg.Client> {
  const client = await connectTo(on)
  t.teardown(() => client.end())
  await client.query(`begin; lock table ${table} in access exclusive mode`)
  return client
}

/** The session of the import, once it waits for a lock there. */
async function waiting(on: DatabaseConnection): Promise<void> {
  for (;;) {
    const { rows } = await run(
      on,
      `select from pg_stat_activity where datname = current_database()
        and application_name = 'bellwire import' and wait_event_type = 'Lock'`,
    )
    if (rows.length > 0) return
  }
}

async function endImportOn(on: DatabaseConnection): Promise<void> {
  const { rowCount } = await run(
    on,
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity
      where datname = current_database() and application_name = 'bellwire import'`,
  )
  t.equal(rowCount, 1)
}

/** Runs as a user without rights: root may do everything, so nobody asks. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

t.test('[IMP4] A source that may not be read is refused', async (t) => {
  const from = await gotifyOnPostgres()
  const into = await imports.newDatabase()
  await run(from, 'create role reader login')
  const reader = addressOf({ ...from, user: 'reader' })
  await imports.refused(t, reader, into, /Gotify database: permission denied for table users/)
  await run(from, 'grant select on users, applications, clients to reader')
  await imports.refused(t, reader, into, /Gotify database: permission denied for table messages/)
  t.same(await countsIn(into), { users: 0, applications: 0, clients: 0, messages: 0 })
})

t.test('[IMP4] A connection that breaks is told of by its reason', async (t) => {
  const from = await gotifyOnPostgres()
  const into = await imports.newDatabase()
  const reason = 'terminating connection due to administrator command'

  const inSource = await lock(t, from, 'messages')
  const sourceEnds = imports.refused(
    ...([t, addressOf(from), into] as const),
    new RegExp(`^Cannot read the Gotify database: ${reason}`),
  )
  await waiting(from)
  await endImportOn(from)
  await sourceEnds

  const idleEnds = imports.refused(
    ...([t, addressOf(from), into] as const),
    new RegExp(`^The database of Bellwire was lost: ${reason}`),
  )
  await waiting(from)
  await endImportOn(into)
  await inSource.query('rollback')
  await idleEnds

  await lock(t, into, 'messages')
  const targetEnds = imports.refused(
    ...([t, addressOf(from), into] as const),
    /^The database of Bellwire was lost: /,
  )
  await waiting(into)
  await endImportOn(into)
  await targetEnds
})

t.test('[IMP4] Rows that are one here are refused', async (t) => {
  const file = join(t.testdir({}), 'gotify.db')
  const rows = rowsOf3()
  const [user] = rows['users'] ?? []
  const nameless = [null, ''].map((name, i) => ({ ...user, id: 50 + i, name }))
  writeGotify3(file, { ...rows, users: [...(rows['users'] ?? []), ...nameless] })
  const into = await imports.newDatabase()
  await imports.refused(t, file, into, /^Two rows of "users" .* "users_name_key"/)
  t.same(await countsIn(into), { users: 0, applications: 0, clients: 0, messages: 0 })
})

t.test('[IMP4] Ids that leave no room for others are refused', async (t) => {
  const folder = t.testdir({})
  const into = await imports.newDatabase()
  const rows = rowsOf3()
  const [message] = rows['messages'] ?? []
  for (const [name, messages] of [
    ['present', [{ ...message, id: Number.MAX_SAFE_INTEGER }]],
    ['deleted', []],
  ] as const) {
    const file = join(folder, `${name}.db`)
    writeGotify3(file, { ...rows, messages })
    const database = new Sqlite(file)
    database.exec(`update sqlite_sequence set seq = ${Number.MAX_SAFE_INTEGER}`)
    database.close()
    await imports.refused(t, file, into, /^The ids of "\w+" go up to 9007199254740991/)
  }
  t.same(await countsIn(into), { users: 0, applications: 0, clients: 0, messages: 0 })
})

t.test(
  '[IMP4] A whole SQLite file that cannot be read as it is, is not called damaged',
  async (t) => {
    const folder = t.testdir({})
    const file = join(folder, 'gotify.db')
    writeGotify3(file)
    const into = await imports.newDatabase()
    const copy = async (name: string, ...suffixes: readonly string[]): Promise<string> => {
      const to = join(folder, name, 'gotify.db')
      await mkdir(dirname(to))
      for (const suffix of suffixes) await copyFile(file + suffix, to + suffix)
      return to
    }

    // What a kill leaves: pages of the transaction in the file, those before it in the journal.
    const gotify = new Sqlite(file)
    t.teardown(() => gotify.close())
    gotify.exec('pragma cache_size = 1; begin')
    gotify.exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)
    insert into messages (application_id, message) select 2, hex(zeroblob(500)) from n`)
    const killed = await copy('killed', '', '-journal')
    await imports.refused(t, killed, into, /has an unfinished transaction: start and stop Gotify/)
    await imports.refused(t, file, into, /is in use: stop Gotify, then import/)
    gotify.exec('rollback; pragma journal_mode = wal; update users set admin = 1')

    const logged = await copy('logged', '', '-wal')
    await chmod(dirname(logged), 0o555)
    await asNobody(() =>
      imports.refused(t, logged, into, /may not be opened: its folder ".*logged" must be writable/),
    )
    await chmod(`${logged}-wal`, 0)
    await asNobody(() =>
      imports.refused(t, logged, into, /may not be opened: ".*gotify\.db-wal" must be readable/),
    )
    await chmod(dirname(logged), 0o755)
  },
)

t.test('[IMP2] Times of PostgreSQL beyond those of RFC 3339 are counted', async (t) => {
  const from = await gotifyOnPostgres()
  await run(
    from,
    `insert into messages values (10, 1, 'old', '', 0, null, '0044-03-15 BC'),
      (11, 1, 'late', '', 0, null, '12000-01-01'), (12, 1, 'never', '', 0, null, 'infinity'),
      (13, 1, 'none', '', 0, null, null)`,
  )
  const report = await imports.run(addressOf(from), await imports.newDatabase())
  t.equal(report.countOf('messages').added, 6)
  t.equal(report.allLeftOut.get('times of messages that cannot be read ("date")'), 3)
})

t.test('[IMP3] A FIFO and a picture that is too big are no images', async (t) => {
  const folder = t.testdir({ images: {} })
  const images = join(folder, 'images')
  execFileSync('mkfifo', [join(images, 'fifo.png')])
  execFileSync('truncate', ['-s', '33M', join(images, 'big.png')])
  const file = join(folder, 'gotify.db')
  const { applications = [], ...others } = rowsOf3()
  const names = ['fifo.png', 'big.png']
  writeGotify3(file, {
    ...others,
    applications: applications.map((row, i) => ({ ...row, image: names[i] ?? '' })),
  })
  const report = await imports.run(file, await imports.newDatabase())
  t.equal(report.allLeftOut.get(`images that are not in "${images}"`), 1)
  t.equal(report.allLeftOut.get('images of more than 32 MiB'), 1)
})
