/** News of changes between processes, on a real PostgreSQL with connections that break. */
import type { ApplicationId, ClientId, UserId } from '@bellwire/common'
import { clientConfig, createDatabase, createPool } from '@bellwire/common/db'
import pg from 'pg'
import { pino } from 'pino'
import t from 'tap'
import { type Change, type ChangeOrigin, Changes } from '../../src/changes.ts'
import { ChangeRelay } from '../../src/cluster/change-relay.ts'
import { checkConnections } from '../../src/cluster/connection-check.ts'
import { RestartPolicy } from '../../src/cluster/restart-policy.ts'
import type { Teardown } from '../support/bellwire.ts'
import { startTestPostgres } from '../support/postgres.ts'
import { within } from './two-processes.ts'

const connection = await startTestPostgres(t)
const client = new pg.Client(clientConfig(connection, { name: 'test' }))
await client.connect()
t.teardown(() => client.end())

const PATIENCE_MS = 20_000
const log = pino({ level: 'silent' })

interface Process {
  readonly changes: Changes
  readonly heard: (readonly [Change, ChangeOrigin])[]
}

/** What a process has of all this; ready when its relay reads. */
async function startProcess(t: Teardown): Promise<Process> {
  const changes = new Changes()
  const heard: (readonly [Change, ChangeOrigin])[] = []
  const relay = new ChangeRelay({ connection, changes, log, gap: () => undefined })
  changes.listen((change, origin) => heard.push([change, origin]))
  t.teardown(() => relay.close())
  // What is told now is heard once the relay has found its starting point.
  await until(async () => {
    await tellByHand(deleted(0))
    return heard.length > 0
  })
  heard.length = 0
  return { changes, heard }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  if (!Number.isFinite(await within(PATIENCE_MS, holds))) throw new Error('Nothing happened')
}

function deleted(user: number): Change {
  return { kind: 'user-deleted', userId: user as UserId }
}

/** As another process would. */
async function tellByHand(change: object): Promise<void> {
  await client.query('insert into changes (at, origin, change) values (0, $1, $2)', [
    'test',
    JSON.stringify(change),
  ])
}

/** Users that a process heard of from elsewhere, without those of the start. */
function usersOf({ heard }: Process): readonly number[] {
  return heard.flatMap(([change, origin]) =>
    origin === 'elsewhere' && change.userId > 0 ? [change.userId] : [],
  )
}

function usersUpTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, index) => index + 1)
}

t.test('[CLU4] ChangeRelay tells every other process once, in order, and not itself', async (t) => {
  const [a, b] = [await startProcess(t), await startProcess(t)]
  const change: Change = {
    kind: 'application-changed',
    userId: 7 as UserId,
    applicationId: 9 as ApplicationId,
  }
  a.changes.announce(change)
  for (let user = 8; user < 20; user++) a.changes.announce(deleted(user))
  await until(() => usersOf(b).length === 13)
  t.strictSame(usersOf(b), [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  t.strictSame(
    b.heard.find(([{ userId }]) => userId === 7),
    [change, 'elsewhere'],
  )
  b.changes.announce(deleted(99))
  await until(() => usersOf(a).length > 0)
  t.strictSame(usersOf(a), [99], 'a hears nothing of its own')
  t.equal(usersOf(b).length, 13, 'and b nothing twice')
})

t.test('[CLU4] ChangeRelay hears of a row that was committed behind a later one', async (t) => {
  const a = await startProcess(t)
  const late = new pg.Client(clientConfig(connection, { name: 'late' }))
  await late.connect()
  await late.query('begin')
  await late.query(
    `insert into changes (at, origin, change) values (0, 'late', '{"kind":"user-deleted","userId":1}')`,
  )
  await tellByHand(deleted(2))
  await until(() => usersOf(a).includes(2))
  t.strictSame(usersOf(a), [2])
  await late.query('commit')
  await until(() => usersOf(a).includes(1))
  t.strictSame(usersOf(a), [2, 1])
  await late.end()
})

t.test('[CLU8] ChangeRelay hears each of very many once, also behind a gap', async (t) => {
  const [a, b] = [await startProcess(t), await startProcess(t)]
  const late = new pg.Client(clientConfig(connection, { name: 'late' }))
  await late.connect()
  t.teardown(() => late.end())
  await late.query('begin')
  await late.query(
    `insert into changes (at, origin, change)
      select 0, 'late', json_build_object('kind', 'user-deleted', 'userId', n)
      from generate_series(1, 250) n`,
  )
  for (let user = 251; user <= 600; user++) a.changes.announce(deleted(user))
  await until(() => usersOf(b).length >= 350)
  t.strictSame(usersOf(b), usersUpTo(600).slice(250))
  await late.query('commit')
  await until(() => usersOf(b).length >= 600)
  t.strictSame(usersOf(b).slice(350), usersUpTo(250))
  t.strictSame(usersOf(a), usersUpTo(250), 'a hears nothing of its own')
  for (let user = 601; user <= 900; user++) a.changes.announce(deleted(user))
  await until(() => usersOf(b).length >= 900)
  t.strictSame(usersOf(b).slice(600), usersUpTo(900).slice(600))
})

t.test(
  '[CLU4] ChangeRelay goes on after its connection was cut, and tells what waited',
  async (t) => {
    const [a, b] = [await startProcess(t), await startProcess(t)]
    for (let round = 1; round <= 3; round++) {
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'bellwire changes'`,
      )
      a.changes.announce(deleted(round))
      await until(() => usersOf(b).includes(round))
    }
    t.strictSame([...new Set(usersOf(b))], [1, 2, 3])
  },
)

t.test('ChangeRelay skips what another version wrote', async (t) => {
  const a = await startProcess(t)
  await tellByHand({ kind: 'invented', userId: 1 })
  await tellByHand({ kind: 'client-deleted', userId: 2 })
  await tellByHand({ kind: 'message-deleted', userId: 2, messageIds: 3 })
  await tellByHand({ kind: 'message-deleted', userId: 2, messageIds: [3, '4'] })
  await tellByHand({ kind: 'user-deleted', userId: [2] })
  await tellByHand(deleted(3))
  await until(() => usersOf(a).includes(3))
  t.strictSame(usersOf(a), [3])
})

t.test('[CLU7] checkConnections() announces clients and users that are gone', async (t) => {
  const pool = createPool(connection, { name: 'test', max: 1, onError: () => undefined })
  const db = createDatabase(pool)
  t.teardown(() => db.destroy())
  const user = await db
    .insertInto('users')
    .values({ name: 'u', pass: null, admin: false, created_at: 0, oidc_id: null })
    .returning('id')
    .executeTakeFirstOrThrow()
  const changes = new Changes()
  const heard: Change[] = []
  changes.listen((change) => heard.push(change))
  const gone = 1_000_000 as UserId
  await checkConnections({
    db,
    changes,
    connected: () => [
      { userId: user.id, clientId: 0 },
      { userId: user.id, clientId: 77 as ClientId },
      { userId: gone, clientId: 0 },
    ],
    onError: (error) => t.fail(String(error)),
  })
  t.strictSame(heard, [
    { kind: 'user-deleted', userId: gone },
    { kind: 'client-deleted', userId: user.id, clientId: 77 },
  ])
})

t.test('[CLU11] RestartPolicy waits only for members that died before they listened', (t) => {
  const policy = new RestartPolicy()
  for (let death = 0; death < 50; death++) t.equal(policy.died(true, death), 0)
  t.notOk(policy.isLoop(50))
  t.strictSame(
    [0, 1, 2, 3, 4, 5, 6].map((death) => policy.died(false, death)),
    [50, 100, 200, 400, 800, 1_600, 2_000],
  )
  policy.listened()
  t.equal(policy.died(false, 10), 50, 'from the start again')
  policy.died(false, 11)
  t.notOk(policy.isLoop(11), 'nine')
  policy.died(false, 12)
  t.ok(policy.isLoop(12), 'ten in a minute')
  policy.died(true, 70_000)
  t.notOk(policy.isLoop(70_000), 'they are long ago')
  for (let death = 0; death < 10; death++) policy.died(false, 80_000)
  t.ok(policy.isLoop(80_000), 'ten again')
  t.notOk(policy.isLoop(150_000), 'time alone is enough')
  t.end()
})
