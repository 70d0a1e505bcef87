import { encodeMessage, encodeMessageTail } from '@bellwire/common'
import t from 'tap'
import { startTestPostgres } from '../support/postgres.ts'
import {
  type Answer,
  type ManagementServer,
  numberIn,
  startManagementServer,
  type TestApplication,
  type TestUser,
} from './management-server.ts'

const server = await startManagementServer(t, { connection: await startTestPostgres(t) })

async function newApplication(user: TestUser): Promise<TestApplication> {
  const answer = await server.call('POST /application', {
    basic: user.basic,
    json: { name: 'app' },
  })
  return { id: numberIn(answer, 'id') as TestApplication['id'], userId: user.id }
}

interface Page {
  readonly paging: { readonly next?: string; readonly size: number; readonly since: number }
  readonly messages: ReadonlyArray<{ readonly id: number; readonly message: string }>
}

function page(answer: Answer): Page {
  return answer.json as Page
}

/** Follows `next` to the last page. */
async function allPages(at: ManagementServer, user: TestUser, first: string): Promise<Page[]> {
  const pages: Page[] = []
  for (let next: string | undefined = first; next !== undefined;) {
    const answer = await at.call(`GET ${next}`, { basic: user.basic })
    if (answer.status !== 200) throw new Error(`${next}: ${answer.text}`)
    pages.push(page(answer))
    next = page(answer).paging.next
  }
  return pages
}

function ids(pages: readonly Page[]): number[] {
  return pages.flatMap(({ messages }) => messages.map(({ id }) => id))
}

t.test('[DLV2] GET /message gives each message as the text that was delivered', async (t) => {
  const user = await server.newUser()
  const application = await newApplication(user)
  const fields = {
    title: '<t>',
    message: 'a "text" \u2028 & \u{1f600}',
    priority: -3,
    extras: '{"a::b":{"n":1.50,"<":"&"}}',
    date: 1_767_225_600_123,
  }
  const { id } = await server.db
    .insertInto('messages')
    .values({
      ...fields,
      user_id: user.id,
      application_id: application.id,
      idempotency_key: null,
      idempotency_hash: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  const text = encodeMessage(id, encodeMessageTail({ ...fields, applicationId: application.id }))
  for (const path of ['/message', `/application/${application.id}/message`]) {
    const answer = await server.call(`GET ${path}`, { basic: user.basic })
    t.equal(answer.text, `{"paging":{"size":1,"since":0,"limit":100},"messages":[${text}]}`)
    t.equal(answer.headers.get('content-type'), 'application/json')
  }
})

t.test('[API20] GET /message pages back by since and forward by after', async (t) => {
  const user = await server.newUser()
  const one = await newApplication(user)
  const two = await newApplication(user)
  const sent: number[] = []
  for (let i = 0; i < 7; i++) {
    sent.push(...(await server.insertMessages(i % 2 === 0 ? one : two, [`m${i}`])))
  }
  const newestFirst = sent.toReversed()

  const back = await allPages(server, user, '/message?limit=3')
  t.same(ids(back), newestFirst)
  t.same(
    back.map(({ paging }) => paging.size),
    [3, 3, 1],
  )
  t.equal(back.at(-1)?.paging.since, 0)

  t.same(ids(await allPages(server, user, '/message?limit=3&after=0')), sent)
  t.same(ids(await allPages(server, user, `/message?limit=2&after=${sent[2]}`)), sent.slice(3))
  t.same(
    ids(await allPages(server, user, `/message?limit=1&after=${sent[1]}&since=${sent[5]}`)),
    sent.slice(2, 5),
    'both borders',
  )
  t.same(
    ids(await allPages(server, user, `/application/${one.id}/message?limit=1&after=0`)),
    sent.filter((_, i) => i % 2 === 0),
  )
  t.same(ids(await allPages(server, user, `/message?after=${sent[6]}`)), [])
})

t.test('[API21] GET /message takes dates: from inclusive, to exclusive', async (t) => {
  const user = await server.newUser()
  const application = await newApplication(user)
  const sent = await server.insertMessages(application, ['1', '2', '3', '4'])
  const start = Date.UTC(2026, 4, 1)
  for (const [i, id] of sent.entries()) {
    const change = server.db.updateTable('messages').set({ date: start + i * 60_000 })
    await change.where('id', '=', id as never).execute()
  }
  const at = (i: number) => new Date(start + i * 60_000).toISOString()
  const between = await allPages(server, user, `/message?limit=1&from=${at(1)}&to=${at(3)}`)
  t.same(ids(between), [sent[2], sent[1]])
  t.same(ids(await allPages(server, user, `/message?after=0&limit=1&from=${at(2)}`)), sent.slice(2))
})

t.test(
  '[API22] GET /message ends a page before it becomes too big, and loses nothing',
  async (t) => {
    const user = await server.newUser()
    const application = await newApplication(user)
    const megabytes = 'x'.repeat(4 * 1024 * 1024)
    const sent: number[] = []
    for (let i = 0; i < 5; i++)
      sent.push(...(await server.insertMessages(application, [megabytes])))
    const pages = await allPages(server, user, '/message?limit=200')
    t.same(ids(pages), sent.toReversed())
    t.same(
      pages.map(({ paging }) => paging.size),
      [4, 1],
    )
  },
)

t.test('DELETE announces what is gone, and only then', async (t) => {
  const user = await server.newUser()
  const stranger = await server.newUser()
  const application = await newApplication(user)
  const [first = 0, second = 0] = await server.insertMessages(application, ['1', '2', '3'])
  const seen = server.changes.length
  const call = (request: string, { basic }: TestUser) => server.call(request, { basic })

  t.equal((await call(`DELETE /message/${first}`, stranger)).status, 404)
  t.equal((await call(`DELETE /message/18446744073709551615`, user)).status, 404)
  t.equal((await call(`DELETE /message/18446744073709551616`, user)).status, 400)
  t.equal((await call(`DELETE /message/+${first}`, user)).status, 400)
  t.equal(server.changes.length, seen)

  t.match(await call(`DELETE /message/000${first}`, user), { status: 200, text: '' })
  t.match(await call(`DELETE /application/${application.id}/message`, user), { status: 200 })
  t.match(await call('DELETE /message', user), { status: 200 })
  t.same(server.changes.slice(seen), [
    { kind: 'message-deleted', userId: user.id, messageIds: [first] },
    { kind: 'messages-deleted', userId: user.id, applicationId: application.id },
    { kind: 'messages-deleted', userId: user.id, applicationId: null },
  ])
  t.equal((await call(`DELETE /message/${second}`, user)).status, 404)
})
