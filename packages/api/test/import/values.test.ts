/** Values as the databases of Gotify hold them, by version and by database. */
import fc from 'fast-check'
import t from 'tap'
import {
  booleanOf,
  extrasOf,
  idIn,
  millisOf,
  numberOf,
  textOf,
} from '../../src/import/gotify-values.ts'
import { IdRuns } from '../../src/import/id-runs.ts'

t.test('millisOf() reads the times of Go, PostgreSQL and SQLite', async (t) => {
  const noon = Date.UTC(2021, 4, 6, 12)
  for (const text of [
    '2021-05-06 12:00:00+00:00',
    '2021-05-06 14:00:00.000000001+02:00',
    '2021-05-06T12:00:00Z',
    '2021-05-06 12:00:00',
    '2021-05-06 06:30:00-05:30',
    '2021-05-06 14:00:00+02',
    '2021-05-06 14:00:00 +02 EET',
    '2021-05-06 14:00:00.0001 +0200 CEST m=+0.000012',
  ]) {
    t.equal(millisOf(text), noon, text)
  }
  t.equal(millisOf(new Date(noon)), noon)
  t.equal(millisOf('2021-05-06 12:00:00.123999+00:00'), noon + 123)
  t.equal(millisOf('0001-01-01 00:00:00+00:00'), -62_135_596_800_000)
  for (const none of [null, undefined, '', 'yesterday', new Date(NaN)]) {
    t.equal(millisOf(none), null)
  }
  for (const none of ['2021-13-40 99:99:99', '2021-13-01 12:00:00Z', '2021-02-31 12:00:00Z']) {
    t.equal(millisOf(none), null, 'no day of March instead')
  }
  t.equal(millisOf('0000-01-01 00:00:00Z'), Date.parse('0000-01-01T00:00:00Z'))
  t.equal(millisOf('9999-12-31 23:59:59.9999Z'), Date.parse('9999-12-31T23:59:59.999Z'))
  for (const none of [
    '9999-12-31 23:59:59-23:00',
    '0000-01-01 00:00:00+05:00',
    '2021-05-06 24:00:00Z',
    '2021-05-06 14:00:00+2',
    '2021-05-06 14:00:00 CEST',
    new Date(Date.UTC(10_000, 0)),
    new Date(Date.UTC(-1, 11, 31)),
  ]) {
    t.equal(millisOf(none), null, `RFC 3339 has no ${String(none)} in UTC`)
  }
})

t.test('textOf() reads texts, bytes and NULL', async (t) => {
  t.equal(textOf('ä\0'), 'ä\ufffd')
  t.equal(textOf(Buffer.from('ä')), 'ä')
  t.equal(textOf(new TextEncoder().encode('ä').buffer), 'ä')
  t.equal(textOf(null), '')
  t.equal(textOf(12n), '12')
})

t.test('numberOf() and booleanOf() read what either database has', async (t) => {
  t.equal(numberOf(5n), 5)
  t.equal(numberOf(null), 0)
  t.equal(numberOf(-(2n ** 63n)), Number.MIN_SAFE_INTEGER)
  t.equal(numberOf('x'), 0)
  t.same([true, 1n, 1, false, 0n, null].map(booleanOf), [true, true, true, false, false, false])
})

t.test('extrasOf() keeps the text of an object, and nothing else', async (t) => {
  const text = '{"n":123456789012345678901}'
  t.equal(extrasOf(Buffer.from(text)), text)
  for (const none of ['{}', '[]', 'null', '1', '{', '', null]) t.equal(extrasOf(none), null)
})

t.test('idIn() refuses what is no id', async (t) => {
  t.equal(idIn('users', { id: 3n }), 3)
  t.equal(idIn('users', { id: 2n ** 52n }), 2 ** 52)
  for (const id of [0n, -1n, null, 'x', 2n ** 52n + 1n, 2n ** 60n]) {
    t.throws(() => idIn('users', { id }), { name: 'ImportError', message: /"users"/ })
  }
})

t.test('IdRuns holds the ids of its runs, in as few runs as there are gaps', (t) => {
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 60 })
  fc.assert(
    fc.property(ids, (all) => {
      const runs = new IdRuns(all.map((id) => ({ first_id: id, last_id: id })))
      const found = Array.from({ length: 62 }, (_, id) => id).filter((id) => runs.has(id))
      t.strictSame(
        found,
        all.toSorted((a, b) => a - b),
      )
      const starts = all.filter((id) => !all.includes(id - 1)).length
      t.equal(runs.runs.length, starts)
    }),
  )
  const nested = [
    { first_id: 1, last_id: 9 },
    { first_id: 3, last_id: 4 },
  ]
  t.strictSame(new IdRuns(nested).runs, [{ first_id: 1, last_id: 9 }])
  t.end()
})
