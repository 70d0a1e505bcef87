import type { ConnectionNumber, Delivery, UserId } from '@bellwire/common'
import t from 'tap'
import { CatchUp } from '../src/catch-up.ts'
import { fanOut } from '../src/fan-out.ts'
import { Outbox } from '../src/outbox.ts'
import { Retries } from '../src/retries.ts'
import type { Page } from '../src/store/message-store.ts'
import { UserState } from '../src/user-state.ts'
import { callAt, HeldStore, nextTurn, storedMessage } from './support/held-store.ts'
import { SmallLanes } from './support/small-lanes.ts'

const SHARD = 3
const USER = 1 as UserId
const SLOW = 10 as ConnectionNumber
const LIVE = 11 as ConnectionNumber

interface Scene {
  readonly store: HeldStore
  readonly lanes: SmallLanes
  readonly outbox: Outbox
  readonly catchUp: CatchUp
  readonly user: UserState
  /** What a live connection, or one that catches up, was told, in order. */
  readonly sent: () => string[]
}

/** A user at id 5 with a connection that was slow and one that is live. */
function scene(t: { teardown(action: () => void): void }): Scene {
  const store = new HeldStore()
  const lanes = new SmallLanes()
  const outbox = new Outbox(lanes)
  const retries = new Retries(store)
  const user = new UserState(SLOW, 0)
  user.add(LIVE, 0)
  user.lastId = 5
  t.teardown(() => {
    retries.close()
    outbox.close()
  })
  const sent = (): string[] => lanes.written.map(({ delivery }) => describe(delivery))
  return { store, lanes, outbox, catchUp: new CatchUp(store, outbox, retries), user, sent }
}

function describe(delivery: Delivery): string {
  if (delivery.kind === 'page-row') return `${delivery.connection} page ${delivery.messageId}`
  if (delivery.kind === 'page-end')
    return `${delivery.connection} ${delivery.atHead ? 'head' : 'more'}`
  if (delivery.kind !== 'message') return delivery.kind
  return `${delivery.connections.join()} live ${delivery.messageId}`
}

function page(atEnd: boolean, ...ids: number[]): Page {
  return { messages: ids.map((id) => storedMessage(id)), atEnd }
}

function handOn({ outbox, user }: Scene, id: number): void {
  fanOut(outbox, SHARD, user, 0, id, Buffer.from(`frame ${id}`))
}

t.test('CatchUp.readPage() ends at the head with what came while it read', async (t) => {
  const all = scene(t)
  const { store, catchUp, user, sent } = all
  catchUp.readPage(SHARD, USER, user, SLOW, 2)
  await nextTurn()
  t.strictSame(callAt(store.pages, 0).asked, { userId: USER, after: 2 })
  // 6 is in the page, too: it was committed before the log was read and handed on after.
  handOn(all, 6)
  handOn(all, 7)
  await callAt(store.pages, 0).answer(page(true, 3, 5, 6))
  handOn(all, 8)
  t.strictSame(sent(), [
    '11 live 6',
    '11 live 7',
    '10 page 3',
    '10 page 5',
    '10 page 6',
    '10 page 7',
    '10 head',
    '10,11 live 8',
  ])
  t.end()
})

t.test('CatchUp.readPage() leaves a connection behind when the log goes on', async (t) => {
  const all = scene(t)
  const { store, catchUp, user, sent } = all
  catchUp.readPage(SHARD, USER, user, SLOW, 0)
  await nextTurn()
  handOn(all, 6)
  await callAt(store.pages, 0).answer(page(false, 1, 2))
  handOn(all, 7)
  t.strictSame(sent(), ['11 live 6', '10 page 1', '10 page 2', '10 more', '11 live 7'])
})

t.test('CatchUp.readPage() reads once more when too much came meanwhile', async (t) => {
  const { store, catchUp, user, sent, outbox } = scene(t)
  catchUp.readPage(SHARD, USER, user, SLOW, 5)
  await nextTurn()
  for (let id = 6; id < 12; id++) fanOut(outbox, SHARD, user, 0, id, Buffer.alloc(100_000))
  await callAt(store.pages, 0).answer(page(true))
  t.equal(sent().at(-1), '10 more')
})

t.test('CatchUp.readPage() sends nothing to a connection that has gone', async (t) => {
  const { store, catchUp, user, sent } = scene(t)
  catchUp.readPage(SHARD, USER, user, SLOW, 5)
  await nextTurn()
  user.remove(SLOW)
  await callAt(store.pages, 0).answer(page(true, 6))
  catchUp.readPage(SHARD, USER, user, SLOW, 5)
  await nextTurn()
  t.strictSame(sent(), [])
  t.equal(store.pages.length, 1)
  t.equal(user.behind, null)
})

t.test(
  'CatchUp.readPage() tries again while the database is up, and when it comes back',
  async (t) => {
    const { store, catchUp, user, sent } = scene(t)
    catchUp.readPage(SHARD, USER, user, SLOW, 5)
    await nextTurn()
    await callAt(store.pages, 0).fail(new Error('a reading connection broke'))
    while (store.pages.length < 2) await nextTurn()
    store.isUp = false
    await callAt(store.pages, 1).fail(new Error('the database is away'))
    store.comeBack()
    await nextTurn()
    await callAt(store.pages, 2).answer(page(true, 6))
    t.strictSame(sent(), ['10 page 6', '10 head'])
  },
)

t.test('CatchUp reads 64 pages at once and no more', async (t) => {
  const { store, catchUp, user } = scene(t)
  for (let number = 20; number < 20 + 66; number++) {
    user.add(number as ConnectionNumber, 0)
    catchUp.readPage(SHARD, USER, user, number as ConnectionNumber, 0)
  }
  await nextTurn()
  t.equal(store.pages.length, 64)
  await callAt(store.pages, 1).answer(page(true))
  t.equal(store.pages.length, 65)
})

t.test(
  'CatchUp.readUser() hands on what the log holds until all that was heard of is out',
  async (t) => {
    const { store, catchUp, user, sent } = scene(t)
    user.highestSeen = 7
    catchUp.readUser(SHARD, USER, user)
    catchUp.readUser(SHARD, USER, user)
    await nextTurn()
    t.equal(store.pages.length, 1, 'one read at a time')
    user.highestSeen = 9
    await callAt(store.pages, 0).answer(page(true, 6, 7))
    await callAt(store.pages, 1).answer(page(true, 9))
    t.strictSame(sent(), ['10,11 live 6', '10,11 live 7', '10,11 live 9'])
    t.match(user, { lastId: 9, reading: false })
  },
)

t.test('CatchUp.readUser() passes an id whose message was deleted', async (t) => {
  const { store, catchUp, user, sent } = scene(t)
  user.highestSeen = 8
  catchUp.readUser(SHARD, USER, user)
  await nextTurn()
  await callAt(store.pages, 0).answer(page(true))
  t.strictSame(sent(), [])
  t.match(user, { lastId: 8, reading: false })
})

t.test('CatchUp.readUser() reads again for a doubt that came while it read', async (t) => {
  const { store, catchUp, user, sent } = scene(t)
  user.inDoubt = true
  catchUp.readUser(SHARD, USER, user)
  await nextTurn()
  user.inDoubt = true
  await callAt(store.pages, 0).answer(page(true))
  t.ok(user.reading)
  await callAt(store.pages, 1).answer(page(true, 6))
  t.strictSame(sent(), ['10,11 live 6'])
  t.match(user, { inDoubt: false, reading: false })
})

t.test('CatchUp reads nothing while the way back is full', async (t) => {
  const { store, lanes, outbox, catchUp, user } = scene(t)
  const full = new SmallLanes(0)
  const write = lanes.deliveryWriter.bind(lanes)
  Object.assign(lanes, { deliveryWriter: full.deliveryWriter.bind(full) })
  outbox.write(SHARD, { kind: 'close', connections: [] })
  catchUp.readPage(SHARD, USER, user, SLOW, 5)
  await nextTurn()
  t.equal(store.pages.length, 0)
  Object.assign(lanes, { deliveryWriter: write })
  outbox.retry()
  await nextTurn()
  t.equal(store.pages.length, 1)
})
