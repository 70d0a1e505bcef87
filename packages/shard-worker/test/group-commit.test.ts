import { monotonicMs } from '@bellwire/common'
import t from 'tap'
import {
  DEFAULT_LIMITS,
  GroupCommit,
  type GroupCommitLimits,
  type PendingPublish,
} from '../src/group-commit.ts'
import { BatchError, type Stored } from '../src/store/message-store.ts'
import { callAt, HeldStore, newMessage, nextTurn } from './support/held-store.ts'

interface Scene {
  readonly store: HeldStore
  readonly commit: GroupCommit
  /** What publishers were told, in order. */
  readonly told: string[]
  readonly add: (name: string, fields?: { key?: string; length?: number }) => void
}

function scene(limits: Partial<GroupCommitLimits> = {}): Scene {
  const store = new HeldStore()
  const told: string[] = []
  const commit = new GroupCommit(
    store,
    { ...DEFAULT_LIMITS, ...limits },
    { batch: () => undefined, settled: () => told.push('settled') },
  )
  return {
    store,
    commit,
    told,
    add: (name, { key = '', length = name.length } = {}) => {
      const publish: PendingPublish = {
        message: newMessage(name.padEnd(length), { idempotencyKey: key }),
        receivedAt: monotonicMs(),
        committed: (stored) => told.push(`${name} ${describe(stored)}`),
        failed: ({ outcome }) => told.push(`${name} ${outcome}`),
      }
      commit.add(publish)
    },
  }
}

function describe(stored: Stored): string {
  return stored.kind === 'new' ? String(stored.id) : stored.kind
}

function ids(...all: number[]): Stored[] {
  return all.map((id) => ({ kind: 'new', id, previousId: null }))
}

function namesOf(store: HeldStore): string[] {
  return store.inserts.map(({ asked }) => asked.map(({ message }) => message.trim()).join(' '))
}

t.test(
  'GroupCommit sends a lone publish at once and gathers while two batches commit',
  async (t) => {
    const { store, commit, told, add } = scene()
    for (const name of ['a', 'b', 'c', 'd']) {
      add(name)
      commit.flush()
    }
    t.strictSame(namesOf(store), ['a', 'b'])
    await callAt(store.inserts, 0).answer(ids(1))
    t.strictSame(namesOf(store), ['a', 'b', 'c d'])
    t.strictSame(told, ['a 1', 'settled'])
    await callAt(store.inserts, 1).answer(ids(2))
    await callAt(store.inserts, 2).answer(ids(3, 4))
    t.strictSame(told, ['a 1', 'settled', 'b 2', 'settled', 'c 3', 'd 4', 'settled'])
    t.ok(commit.idle)
  },
)

t.test(
  'GroupCommit tells outcomes in the order of the batches, whichever is answered first',
  async (t) => {
    const { store, commit, told, add } = scene()
    add('a', { key: 'k' })
    commit.flush()
    add('b')
    commit.flush()
    await callAt(store.inserts, 1).answer(ids(2))
    t.strictSame(told, [])
    t.notOk(commit.idle)
    await callAt(store.inserts, 0).answer(ids(1))
    t.strictSame(told, ['a 1', 'settled', 'b 2', 'settled'])
  },
)

t.test('GroupCommit starts before flush() with as many rows as are worth a commit', async (t) => {
  const { store, add } = scene({ eagerRows: 2, maxInFlight: 1 })
  add('a')
  t.strictSame(namesOf(store), [])
  add('b')
  t.strictSame(namesOf(store), ['a b'])
  for (const name of ['c', 'd', 'e']) add(name)
  t.strictSame(namesOf(store), ['a b'], 'no more batches at once than may be')
  await callAt(store.inserts, 0).answer(ids(1, 2))
  t.strictSame(namesOf(store), ['a b', 'c d e'])
})

t.test('GroupCommit bounds a batch in rows and in bytes, and lets one big row through', (t) => {
  const limits = { maxRows: 2, maxBytes: 1_000, maxInFlight: 9 }
  const { store, commit, add } = scene(limits)
  for (const name of ['a', 'b', 'c']) add(name)
  add('big', { length: 5_000 })
  add('d', { length: 700 })
  add('e', { length: 700 })
  commit.flush()
  t.strictSame(namesOf(store), ['a b', 'c', 'big', 'd', 'e'])
  t.end()
})

t.test(
  'GroupCommit keeps rows with a key apart, and neither kind cuts or starves the other',
  (t) => {
    const { store, commit, add } = scene({ maxInFlight: 9 })
    add('a')
    add('b', { key: 'k' })
    add('c', { key: 'l' })
    add('d')
    commit.flush()
    t.strictSame(namesOf(store), ['a d', 'b c'])

    const busy = scene({ maxInFlight: 9, maxRows: 1 })
    for (const name of ['a', 'b', 'c']) busy.add(name)
    for (const name of ['x', 'y']) busy.add(name, { key: name })
    busy.commit.flush()
    t.strictSame(namesOf(busy.store), ['a', 'x', 'b', 'y', 'c'], 'they take turns')
    t.end()
  },
)

t.test('GroupCommit tries a refused batch again row by row', async (t) => {
  const { store, commit, told, add } = scene({ maxInFlight: 1 })
  for (const name of ['a', 'bad', 'c']) add(name)
  commit.flush()
  await callAt(store.inserts, 0).fail(new BatchError('refused', new Error('no such application')))
  t.strictSame(namesOf(store), ['a bad c', 'a', 'bad', 'c'])
  await callAt(store.inserts, 1).answer(ids(1))
  await callAt(store.inserts, 2).fail(new BatchError('refused', new Error('the same')))
  await callAt(store.inserts, 3).answer(ids(2))
  t.strictSame(
    told.filter((text) => text !== 'settled'),
    ['a 1', 'bad refused', 'c 2'],
  )
  t.ok(commit.idle)
})

t.test('GroupCommit never repeats a batch whose outcome is unknown', async (t) => {
  const { store, commit, told, add } = scene()
  add('a')
  add('b')
  commit.flush()
  await callAt(store.inserts, 0).fail(new BatchError('unknown', new Error('connection broke')))
  add('c')
  commit.flush()
  await callAt(store.inserts, 1).fail(new Error('no BatchError at all'))
  t.equal(store.inserts.length, 2)
  t.strictSame(told, ['a unknown', 'b unknown', 'settled', 'c unknown', 'settled'])
})

t.test('GroupCommit takes a row without an answer for unknown', async (t) => {
  const { store, commit, told, add } = scene()
  add('a')
  add('b')
  commit.flush()
  await callAt(store.inserts, 0).answer(ids(1))
  t.strictSame(told, ['a 1', 'b unknown', 'settled'])
})

t.test('GroupCommit counts publishes that are still being checked', async (t) => {
  const { commit } = scene({ maxWaitingBytes: 1_000 })
  const releases = [commit.reserve(600), commit.reserve(600)]
  t.ok(commit.full)
  let room = false
  void commit.room().then(() => (room = true))
  releases[0]?.()
  await nextTurn()
  t.ok(room)
  t.notOk(commit.full)
  releases[1]?.()
  t.ok(commit.idle)
})

t.test('GroupCommit is full above its bound, and tells when there is room', async (t) => {
  const { store, commit, add } = scene({ maxWaitingBytes: 1_000, maxInFlight: 1 })
  add('a')
  commit.flush()
  add('b', { length: 2_000 })
  t.ok(commit.full)
  let room = false
  void commit.room().then(() => (room = true))
  await nextTurn()
  t.notOk(room)
  await callAt(store.inserts, 0).answer(ids(1))
  t.ok(room)
  t.notOk(commit.full)
  await commit.room()
})
