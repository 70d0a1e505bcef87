import type { UserId } from '@bellwire/common'
import type pg from 'pg'
import t from 'tap'
import { frameOfStored } from '../../src/fan-out.ts'
import { pageReads, type PageRow } from '../../src/store/page-reads.ts'

function row(page: number, id: number): PageRow {
  return {
    page,
    available: 1,
    id,
    application_id: 7,
    title: 't',
    message: `message ${id}`,
    priority: 0,
    extras: null,
    date: 0,
  } as PageRow
}

t.test('pageReads() reads a page once for all who ask for it together', async (t) => {
  const asked: unknown[] = []
  const pages = pageReads((query: pg.QueryConfig) => {
    asked.push(query.values)
    return Promise.resolve({ rows: [row(1, 11), row(2, 21), row(3, 31)] })
  })
  const ask = (userId: number, after: number) => pages.read({ userId: userId as UserId, after })
  const [a, b, again, c] = await Promise.all([ask(1, 10), ask(2, 10), ask(1, 10), ask(1, 30)])
  t.strictSame(asked, [
    [
      [1, 2, 1],
      [10, 10, 30],
    ],
  ])
  t.match(
    [a, b, c].map((page) => page.messages.map(({ id }) => id)),
    [[11], [21], [31]],
  )
  t.equal(again, a, 'equal asks get one page')
  const [first] = a.messages
  t.ok(first !== undefined && frameOfStored(first) === frameOfStored(first), 'and encode it once')
})
