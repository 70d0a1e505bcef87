import type { UserId } from '@bellwire/common'
import t from 'tap'
import { HeadLookup, type HeadRequest } from '../src/head-lookup.ts'
import { callAt, HeldStore, nextTurn } from './support/held-store.ts'

function user(id: number): UserId {
  return id as UserId
}

function request(lookup: HeadLookup, userId: number, told: string[]): void {
  const asked: HeadRequest = {
    userId: user(userId),
    found: (head, newest) => told.push(`${userId}: ${head} of ${newest}`),
    failed: (error) => told.push(`${userId}: ${String(error)}`),
  }
  lookup.request(asked)
}

t.test(
  'HeadLookup asks once for all users of a turn, and for the rest after the answer',
  async (t) => {
    const store = new HeldStore()
    const lookup = new HeadLookup(store)
    const told: string[] = []
    for (const userId of [1, 2, 1]) request(lookup, userId, told)
    await nextTurn()
    request(lookup, 3, told)
    await nextTurn()
    t.strictSame(
      store.headQueries.map(({ asked }) => asked),
      [[1, 2]],
    )
    await callAt(store.headQueries, 0).answer({ newest: 9, byUser: new Map([[user(1), 5]]) })
    t.strictSame(told, ['1: 5 of 9', '2: 0 of 9', '1: 5 of 9'])
    await nextTurn()
    t.strictSame(callAt(store.headQueries, 1).asked, [3])
  },
)

t.test('HeadLookup goes on after a query that failed', async (t) => {
  const store = new HeldStore()
  const lookup = new HeadLookup(store)
  const told: string[] = []
  request(lookup, 1, told)
  await nextTurn()
  await callAt(store.headQueries, 0).fail(new Error('away'))
  t.strictSame(told, ['1: Error: away'])
  request(lookup, 2, told)
  await nextTurn()
  await callAt(store.headQueries, 1).answer({ newest: 1, byUser: new Map() })
  t.equal(told.at(-1), '2: 0 of 1')
})

t.test('HeadLookup bounds a query: a crowd is asked for in several', async (t) => {
  const store = new HeldStore()
  const lookup = new HeadLookup(store)
  const told: string[] = []
  for (let userId = 1; userId <= 2_500; userId++) request(lookup, userId, told)
  for (const size of [1_000, 1_000, 500]) {
    await nextTurn()
    const query = callAt(store.headQueries, store.headQueries.length - 1)
    t.equal(query.asked.length, size)
    await query.answer({ newest: 0, byUser: new Map() })
  }
  await nextTurn()
  t.equal(told.length, 2_500)
})
