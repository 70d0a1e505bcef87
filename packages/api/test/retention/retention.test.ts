/** Retention of messages on a real database, through the endpoints that set it. */
import type { ApplicationId, Clock, MessageId } from '@bellwire/common'
import t, { type Test } from 'tap'
import { type Change, Changes } from '../../src/changes.ts'
import { type RetentionDeps, runRetention } from '../../src/retention/retention-job.ts'
import {
  type ManagementServer,
  numberIn,
  startManagementServer,
  type TestApplication,
  type TestUser,
} from '../manage/management-server.ts'
import { startTestPostgres } from '../support/postgres.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const NOW = Date.parse('2026-05-05T12:00:00Z')
const CLOCK: Clock = { now: () => NOW }

t.setTimeout(60_000)

interface Place {
  readonly server: ManagementServer
  readonly user: TestUser
  /** Makes an application and gives it messages that are so many days old, oldest first. */
  readonly fill: (fields: object, ages: readonly number[]) => Promise<TestApplication>
  /** Ages in days of the messages that are left, oldest first. */
  readonly agesOf: (application: TestApplication) => Promise<number[]>
  /** Returns the ids that were announced, each as often as it was. */
  readonly run: (defaults?: { days: number; count: number }) => Promise<readonly MessageId[]>
  /** What a run needs to tell these listeners. */
  readonly jobOf: (changes: Changes, defaults?: { days: number; count: number }) => RetentionDeps
}

async function place(t: Test, server: ManagementServer): Promise<Place> {
  const { db } = server
  await db.deleteFrom('messages').execute()
  await db.deleteFrom('applications').execute()
  const user = await server.newUser()

  async function fill(fields: object, ages: readonly number[]): Promise<TestApplication> {
    const json = { name: 'a', ...fields }
    const made = await server.call('POST /application', { basic: user.basic, json })
    t.equal(made.status, 200, made.text)
    const id = numberIn(made, 'id') as ApplicationId
    for (const age of ages) {
      await db
        .insertInto('messages')
        .values({
          ...{ user_id: user.id, application_id: id, title: '', message: 'm', priority: 0 },
          ...{ extras: null, idempotency_key: null, idempotency_hash: null },
          date: NOW - age * DAY_MS,
        })
        .execute()
    }
    return { id, userId: user.id }
  }

  async function agesOf({ id }: TestApplication): Promise<number[]> {
    const query = db.selectFrom('messages').select('date').where('application_id', '=', id)
    const rows = await query.orderBy('id').execute()
    return rows.map(({ date }) => (NOW - date) / DAY_MS)
  }

  function jobOf(changes: Changes, defaults = { days: 0, count: 0 }): RetentionDeps {
    return { db, changes, clock: CLOCK, defaults, onError: (error) => t.fail(String(error)) }
  }

  async function run(defaults?: { days: number; count: number }): Promise<readonly MessageId[]> {
    const announced: Change[] = []
    const changes = new Changes()
    changes.listen((change) => announced.push(change))
    await runRetention(jobOf(changes, defaults))
    t.match(announced, Array(announced.length).fill({ kind: 'message-deleted', userId: user.id }))
    return announced.flatMap((change) => ('messageIds' in change ? change.messageIds : []))
  }
  return { server, user, fill, agesOf, run, jobOf }
}

t.test('retention', async (t) => {
  const server = await startManagementServer(t, { connection: await startTestPostgres(t) })

  await t.test('[RET1] runRetention() deletes what is too old, and announces each', async (t) => {
    const { fill, agesOf, run } = await place(t, server)
    const short = await fill({ retentionDays: 2 }, [9, 3, 2.001, 2, 1, 0])
    const long = await fill({ retentionDays: 30 }, [31, 9])
    const plain = await fill({}, [400, 9])
    const announced = await run()
    t.strictSame(await agesOf(short), [2, 1, 0], 'to the millisecond')
    t.strictSame(await agesOf(long), [9])
    t.strictSame(await agesOf(plain), [400, 9])
    t.equal(announced.length, 4)
    t.strictSame(await run(), [], 'a second run finds nothing')
  })

  await t.test('[RET2] runRetention() keeps the newest messages only', async (t) => {
    const { fill, agesOf, run } = await place(t, server)
    const three = await fill({ retentionCount: 3 }, [5, 4, 3, 2, 1])
    const exact = await fill({ retentionCount: 2 }, [5, 4])
    const both = await fill({ retentionCount: 3, retentionDays: 2 }, [5, 4, 3, 2, 1])
    await run()
    t.strictSame(await agesOf(three), [3, 2, 1])
    t.strictSame(await agesOf(exact), [5, 4])
    t.strictSame(await agesOf(both), [2, 1])
  })

  await t.test('[RET3] the settings count for applications without a rule', async (t) => {
    const { fill, agesOf, run } = await place(t, server)
    const plain = await fill({}, [5, 4, 3, 2, 1])
    const own = await fill({ retentionDays: 4 }, [5, 4, 3, 2, 1])
    const kept = await fill({ retentionDays: 0, retentionCount: 0 }, [5, 4, 3, 2, 1])
    await run({ days: 3, count: 4 })
    t.strictSame(await agesOf(plain), [3, 2, 1])
    t.strictSame(await agesOf(own), [4, 3, 2, 1])
    t.strictSame(await agesOf(kept), [5, 4, 3, 2, 1])
  })

  await t.test(
    '[RET1] runRetention() goes through more than a batch, also twice at once',
    async (t) => {
      const { fill, run, user } = await place(t, server)
      const application = await fill({ retentionCount: 10 }, [])
      await server.insertMessages(application, Array<string>(2_510).fill('m'))
      const ids = (await Promise.all([run(), run()])).flat()
      ids.push(...(await run()))
      const left = await server.call('GET /message?limit=200', { basic: user.basic })
      t.equal((left.json as { messages: unknown[] }).messages.length, 10)
      t.equal(ids.length, 2_500)
      t.equal(new Set(ids).size, 2_500, 'each is announced once')
    },
  )

  await t.test(
    '[RET5] runRetention() tells of many at once, and ends when it is told',
    async (t) => {
      const { fill, jobOf, run } = await place(t, server)
      const application = await fill({ retentionCount: 1 }, [])
      await server.insertMessages(application, Array<string>(1_001).fill('m'))
      await fill({ retentionDays: 2 }, [9])
      const stop = new AbortController()
      const changes = new Changes()
      const counts: number[] = []
      changes.listen((change) => {
        if (change.kind === 'message-deleted') counts.push(change.messageIds.length)
        if (counts.length === 2) stop.abort()
      })
      await runRetention(jobOf(changes), stop.signal)
      t.strictSame(counts, [250, 250])
      t.equal((await run()).length, 501, 'the next run finds the rest')
    },
  )

  await t.test('[RET1] messages that are dated late hide no older ones', async (t) => {
    const { fill, agesOf, run } = await place(t, server)
    const first = await fill({ retentionDays: 2 }, [-9_999, 9, 8, 1, 7, 0])
    const young = await fill({ retentionDays: 2 }, [-9_999, 1, 0])
    const both = await fill({ retentionDays: 2, retentionCount: 4 }, [9, -9_999, -1, 8, 1, 7, 0])
    t.equal((await run()).length, 8)
    t.strictSame(await agesOf(first), [-9_999, 1, 0])
    t.strictSame(await agesOf(young), [-9_999, 1, 0])
    t.strictSame(await agesOf(both), [1, 0])

    const late = Array<number>(99).fill(-9_999)
    const many = await fill({ retentionDays: 2 }, [...late, ...Array<number>(1_050).fill(9), -1])
    const last = await fill({ retentionDays: 2 }, [9])
    t.equal((await run()).length, 1_051, 'over several batches')
    t.strictSame(await agesOf(many), [...late, -1])
    t.strictSame(await agesOf(last), [])
  })

  await t.test('[RET1] runRetention() comes to the last of many applications', async (t) => {
    const { fill, agesOf, run } = await place(t, server)
    for (let i = 0; i < 100; i++) await fill({ retentionDays: 2 }, [])
    const last = await fill({ retentionDays: 2 }, [9, 1])
    await run()
    t.strictSame(await agesOf(last), [1])
  })

  await t.test('[RET4] old clients see and change nothing of it', async (t) => {
    const { fill, user } = await place(t, server)
    const { basic } = user
    const { id } = await fill({}, [])
    const list = async (): Promise<unknown> =>
      ((await server.call('GET /application', { basic })).json as unknown[])[0]
    const put = (json: object): Promise<{ readonly status: number; readonly text: string }> =>
      server.call(`PUT /application/${id}`, { basic, json: { name: 'a', ...json } })

    t.notMatch(Object.keys((await list()) as object).join(), /retention/)
    t.equal((await put({ retentionDays: 7, retentionCount: 0 })).status, 200)
    t.match(await list(), { retentionDays: 7, retentionCount: 0 })
    await put({ description: 'by a client that does not know it' })
    t.match(await list(), { retentionDays: 7, retentionCount: 0 })
    await put({ retentionDays: -1, retentionCount: -1 })
    t.notMatch(Object.keys((await list()) as object).join(), /retention/)
    for (const wrong of [-2, 36_501, 1.5, 'ten']) {
      t.equal((await put({ retentionDays: wrong })).status, 400, String(wrong))
    }
    t.equal((await put({ retentionCount: 10_000_001 })).status, 400)
  })
})
