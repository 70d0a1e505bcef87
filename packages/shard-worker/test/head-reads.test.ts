import type { UserId } from '@bellwire/common'
import t from 'tap'
import { headReads } from '../src/head-reads.ts'
import { callAt, HeldStore, nextTurn } from './support/held-store.ts'

function user(id: number): UserId {
  return id as UserId
}

t.test(
  'headReads asks once for a user that several ask for, and answers all of them',
  async (t) => {
    const store = new HeldStore()
    const heads = headReads(store)
    const answers = Promise.all([1, 2, 1].map((id) => heads.read(user(id))))
    await nextTurn()
    const query = callAt(store.headQueries, 0)
    t.strictSame(query.asked, [1, 2])
    await query.answer({ newest: 9, byUser: new Map([[user(1), 5]]) })
    t.strictSame(await answers, [
      { head: 5, newest: 9 },
      { head: 0, newest: 9 },
      { head: 5, newest: 9 },
    ])
  },
)

t.test('headReads bounds a query: a crowd is asked for in several', async (t) => {
  const store = new HeldStore()
  const heads = headReads(store)
  const answers = Array.from({ length: 2_500 }, (_, id) => heads.read(user(id)))
  for (const size of [1_000, 1_000, 500]) {
    await nextTurn()
    const query = callAt(store.headQueries, store.headQueries.length - 1)
    t.equal(query.asked.length, size)
    await query.answer({ newest: 0, byUser: new Map() })
  }
  t.equal((await Promise.all(answers)).length, 2_500)
})
