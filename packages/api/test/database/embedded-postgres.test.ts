import { clientConfig, DatabaseStartError, type DatabaseConnection } from '@bellwire/common/db'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../src/database/embedded-postgres.ts'
import { chooseAccount, type Account } from '../../src/database/postgres-account.ts'
import { processFacts } from '../../src/database/process-facts.ts'
import { startOwner } from './fixtures/owner-process.ts'

// A dozen servers are made and killed here, on a machine that may be busy.
t.setTimeout(300_000)

const log = pino({ level: 'silent' })
const NOBODY = 65_534
const isRoot = process.getuid?.() === 0

const KEEP = 'create table if not exists kept as select 42 as answer'

/** The folder of those tests that leave it whole: making one is the slow part. */
const shared = await folder(t)

async function folder(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'bellwire-test-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

async function start(t: Test, dataDir: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, log })
  t.teardown(() => server.stop())
  return server
}

async function query(connection: DatabaseConnection, text: string): Promise<unknown[]> {
  const client = new pg.Client(clientConfig(connection, { name: 'test' }))
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows.map((row: unknown[]) => row[0])
  } finally {
    await client.end()
  }
}

/** Asks again until PostgreSQL is back. */
async function queryUntilBack(connection: DatabaseConnection, text: string): Promise<unknown[]> {
  for (;;) {
    const rows = await query(connection, text).catch(() => null)
    if (rows !== null) return rows
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A program that is not PostgreSQL, under the account of PostgreSQL: of others it ignores the numbers. */
async function startOther(t: Test, account: Account | null): Promise<number> {
  const child = spawn('sleep', ['600'], { stdio: 'ignore', ...account })
  t.teardown(() => child.kill())
  await once(child, 'spawn')
  if (child.pid === undefined) throw new Error('it has a number once it runs')
  return child.pid
}

async function postmasterPid(dataDir: string): Promise<number> {
  return Number.parseInt(await readFile(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8'), 10)
}

async function refusal(dataDir: string): Promise<string> {
  try {
    const server = await startEmbeddedPostgres({ dataDir, log })
    await server.stop()
    return 'it started'
  } catch (error) {
    if (!(error instanceof DatabaseStartError)) throw error
    return error.message
  }
}

void t.test(
  '[STORE1] startEmbeddedPostgres() keeps what was committed over stop and start',
  async (t) => {
    const dataDir = shared
    const first = await startEmbeddedPostgres({ dataDir, log })
    await query(first.connection, KEEP)
    const pid = await postmasterPid(dataDir)
    await first.stop()
    t.equal(await processFacts(pid), null, 'the server is gone after stop()')

    const second = await start(t, dataDir)
    t.same(await query(second.connection, 'select answer from kept'), [42])
    await second.stop()
    await second.stop()
  },
)

void t.test(
  '[STORE2] startEmbeddedPostgres() runs a durable, closed and language-free server',
  async (t) => {
    const dataDir = shared
    const { connection } = await start(t, dataDir)
    const settings = await query(
      connection,
      `select name || '=' || setting from pg_settings where name in ('fsync', 'full_page_writes',
     'synchronous_commit', 'listen_addresses', 'unix_socket_permissions') order by name`,
    )
    t.same(settings, [
      'fsync=on',
      'full_page_writes=on',
      'listen_addresses=',
      'synchronous_commit=on',
      'unix_socket_permissions=0700',
    ])
    t.same(await query(connection, 'show server_encoding'), ['UTF8'])
    t.same(
      await query(
        connection,
        "select datlocprovider::text || datlocale from pg_database where datname = 'bellwire'",
      ),
      ['bC.UTF-8'],
    )
    t.equal((await stat(join(dataDir, 'postgres'))).mode & 0o777, 0o700)
    t.equal((await stat(connection.host)).mode & 0o777, 0o700)
    const socket = await stat(join(connection.host, '.s.PGSQL.5432'))
    t.equal(socket.mode & 0o777, 0o700)
  },
)

void t.test('[STORE4] EmbeddedPostgres starts PostgreSQL again when it is killed', async (t) => {
  const dataDir = shared
  const server = await start(t, dataDir)
  const reasons: string[] = []
  server.onExit((reason) => reasons.push(reason))
  await query(server.connection, KEEP)

  for (const round of [1, 2]) {
    const pid = await postmasterPid(dataDir)
    process.kill(pid, 'SIGKILL')
    t.same(await queryUntilBack(server.connection, 'select answer from kept'), [42])
    t.equal(reasons.length, round)
    t.not(await postmasterPid(dataDir), pid)
  }
})

void t.test('EmbeddedPostgres.stop() ends a server that is just being started again', async (t) => {
  const dataDir = shared
  const server = await startEmbeddedPostgres({ dataDir, log })
  const ended = new Promise((resolve) => server.onExit(resolve))
  process.kill(await postmasterPid(dataDir), 'SIGKILL')
  await ended
  await server.stop()
  await t.rejects(query(server.connection, 'select 1'))
})

void t.test(
  '[STORE3] startEmbeddedPostgres() takes over from an owner that was killed',
  async (t) => {
    const dataDir = shared
    const owner = await startOwner(dataDir)
    if (owner.connection === null) throw new Error(owner.failure?.message)
    await query(owner.connection, KEEP)
    const left = await postmasterPid(dataDir)
    await owner.kill()
    t.ok(await processFacts(left), 'PostgreSQL outlives its owner')

    const server = await start(t, dataDir)
    t.equal(await processFacts(left), null)
    t.same(await query(server.connection, 'select answer from kept'), [42])
  },
)

void t.test(
  '[STORE3] startEmbeddedPostgres() refuses a folder that another Bellwire uses',
  async (t) => {
    const dataDir = shared
    const owner = await startOwner(dataDir)
    const message = await refusal(dataDir)
    t.match(message, `another Bellwire is running on it (process ${owner.child.pid})`)
    t.notMatch(message, '\n')
    if (owner.connection === null) throw new Error(owner.failure?.message)
    t.same(await query(owner.connection, 'select 1'), [1], 'the first one is not disturbed')
    t.equal(await owner.stop(), 0)
  },
)

void t.test(
  '[STORE3] startEmbeddedPostgres() lets one of several that start at once win',
  async (t) => {
    const dataDir = await folder(t)
    for (const state of ['empty', 'left behind by a killed owner']) {
      const owners = await Promise.all([1, 2, 3].map(() => startOwner(dataDir)))
      const winners = owners.filter((owner) => owner.connection !== null)
      t.equal(winners.length, 1, `folder ${state}`)
      for (const owner of owners) {
        if (owner.failure !== null)
          t.match(owner.failure.message, 'another Bellwire is running on it')
      }
      const [winner] = winners
      if (winner?.connection) t.same(await query(winner.connection, 'select 1'), [1])
      await winner?.kill()
    }
    const last = await start(t, dataDir)
    t.same(await query(last.connection, 'select 1'), [1])
  },
)

void t.test('startEmbeddedPostgres() is not misled by a lock file', async (t) => {
  const dataDir = shared
  await (await startEmbeddedPostgres({ dataDir, log })).stop()
  const lockFile = join(dataDir, 'postgres/data/postmaster.pid')
  const lines = (pid: number, socketFolder: string) =>
    `${pid}\n${join(dataDir, 'postgres/data')}\n1700000000\n5432\n${socketFolder}\n\n  1 1\nready   \n`
  const gone = 4_194_303

  const socketFolder = join(dataDir, 'postgres/run')
  const other = await startOther(t, await chooseAccount(join(dataDir, 'postgres')))
  await writeFile(lockFile, lines(other, socketFolder))
  await writeFile(join(socketFolder, '.s.PGSQL.5432.lock'), lines(other, socketFolder))
  await (await startEmbeddedPostgres({ dataDir, log })).stop()
  t.pass('the number belongs to another program now')

  await writeFile(lockFile, lines(gone, ''))
  await (await startEmbeddedPostgres({ dataDir, log })).stop()
  t.pass('the number belongs to no program')

  const elsewhere = await folder(t)
  const foreign = createServer().listen(join(elsewhere, '.s.PGSQL.5432'))
  t.teardown(() => foreign.close())
  for (const number of [gone, other]) {
    await writeFile(lockFile, lines(number, elsewhere))
    t.match(
      await refusal(dataDir),
      'another Bellwire is running on it (perhaps in another container)',
    )
  }
})

void t.test('startEmbeddedPostgres() finds room for its socket below a long path', async (t) => {
  const dataDir = join(await folder(t), 'a'.repeat(100))
  const first = await startEmbeddedPostgres({ dataDir, log })
  t.same(await query(first.connection, 'select 1'), [1])
  t.equal((await stat(first.connection.host)).mode & 0o777, 0o700)
  await first.stop()

  const second = await start(t, dataDir)
  t.equal(second.connection.host, first.connection.host, 'it is used again')
  t.same(await query(second.connection, 'select 1'), [1])
  t.teardown(() => rm(second.connection.host, { recursive: true }))
})

void t.test(
  '[STORE5] startEmbeddedPostgres() says in one line what is wrong with the folder',
  async (t) => {
    const foreign = await folder(t)
    await mkdir(join(foreign, 'postgres/data'), { recursive: true })
    await writeFile(join(foreign, 'postgres/data/notes.txt'), 'mine')
    t.match(await refusal(foreign), 'it holds files, but not those of PostgreSQL')

    await writeFile(join(foreign, 'postgres/data/PG_VERSION'), '15\n')
    t.match(await refusal(foreign), 'it was made by PostgreSQL 15, and this Bellwire brings 18')

    const file = join(foreign, 'a-file')
    await writeFile(file, '')
    t.match(
      await refusal(join(file, 'data')),
      /Cannot start the embedded database in .* \(GOTIFY_DATADIR\)/,
    )

    const broken = await folder(t)
    await (await startEmbeddedPostgres({ dataDir: broken, log })).stop()
    await rm(join(broken, 'postgres/data/global/pg_control'))
    const message = await refusal(broken)
    t.match(message, 'could not find the database system')
    t.notMatch(message, '\n')
  },
)

void t.test(
  '[STORE5] startEmbeddedPostgres() clears away a folder that was never finished',
  async (t) => {
    const dataDir = await folder(t)
    const half = join(dataDir, '.postgres-new-4194303.1')
    await mkdir(half)
    await writeFile(join(half, 'PG_VERSION'), '18\n')
    const { connection } = await start(t, dataDir)
    t.same(await query(connection, 'select 1'), [1])
    await t.rejects(stat(half), { code: 'ENOENT' })
  },
)

void t.test('startEmbeddedPostgres() as a normal user', { skip: !isRoot }, async (t) => {
  const dataDir = await folder(t)
  await chown(dataDir, NOBODY, NOBODY)
  const owner = await startOwner(dataDir, NOBODY)
  t.equal(owner.failure, null)
  t.equal((await stat(join(dataDir, 'postgres/data'))).uid, NOBODY)
  await owner.kill()
  const next = await startOwner(dataDir, NOBODY)
  t.equal(next.failure, null, 'it stops what it left behind')
  t.equal(await next.stop(), 0)

  await t.test('a folder of somebody else is refused', async (t) => {
    const closed = await folder(t)
    await chmod(closed, 0o755)
    const refused = await startOwner(closed, NOBODY)
    t.match(refused.failure?.message, 'no permission')
    t.notMatch(refused.failure?.message, '\n')
  })
  await t.test('a user without a name is told so', async (t) => {
    const own = await folder(t)
    await chown(own, 54_545, 54_545)
    const refused = await startOwner(own, 54_545)
    t.match(refused.failure?.message, 'user id 54545 has no name in /etc/passwd')
  })
})

void t.test('startEmbeddedPostgres() as root', { skip: !isRoot }, async (t) => {
  const closed = await folder(t)
  await chmod(closed, 0o700)
  const dataDir = join(closed, 'project/data')
  const { connection } = await start(t, dataDir)
  t.same(await query(connection, 'select 1'), [1], 'below a folder that its account cannot enter')
  const { uid } = await stat(join(dataDir, 'postgres/data'))
  t.not(uid, 0)

  await t.test('[STORE2] other users cannot get in', async (t) => {
    const open = await folder(t)
    await chmod(open, 0o755)
    const server = await start(t, open)
    const other = await startOwner(open, NOBODY)
    t.match(other.failure?.message, 'no permission')
    t.same(await query(server.connection, 'select 1'), [1])
  })
  await t.test(
    '[STORE6] PostgreSQL may read through closed folders and do nothing else of root',
    async (t) => {
      const pid = await postmasterPid(dataDir)
      const status = await readFile(`/proc/${pid}/status`, 'utf8')
      t.match(status, new RegExp(`^Uid:\\s+${uid}\\s+${uid}\\s+${uid}\\s+${uid}$`, 'm'))
      // CAP_DAC_READ_SEARCH is bit 2 (capability.h).
      t.match(status, /^CapEff:\s+0000000000000004$/m)
      t.match(status, /^CapBnd:\s+0000000000000004$/m)
      t.match(status, /^Groups:\s*$/m)
    },
  )
})
