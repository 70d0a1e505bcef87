import t from 'tap'
import { describePage, readPageRequest } from '../../src/manage/paging.ts'

t.test('[API20] readPageRequest() reads limits and borders as Gotify does', (t) => {
  const plain = { limit: 100, since: 0, after: null, from: null, to: null }
  t.same(readPageRequest(''), plain)
  t.same(readPageRequest('limit=200&since=&zzz=1'), { ...plain, limit: 200 })
  t.same(readPageRequest('limit=1&since=7&since=9'), { ...plain, limit: 1, since: 7 })
  t.equal(readPageRequest('since=18446744073709551615').since, Number.MAX_SAFE_INTEGER)
  t.equal(readPageRequest(`since=${'7'.padStart(40, '0')}`).since, 7)
  t.equal(readPageRequest('after=0').after, 0)
  t.equal(readPageRequest('after=18446744073709551615').after, Number.MAX_SAFE_INTEGER)
  t.end()
})

t.test('[API21] readPageRequest() reads dates with any zone', (t) => {
  const noon = Date.UTC(2026, 0, 31, 12)
  for (const text of [
    '2026-01-31T12:00:00Z',
    '2026-01-31T12:00:00.000z',
    '2026-01-31 12:00:00Z',
    '2026-01-31T14:00:00%2B02:00',
    '2026-01-31T14:00:00+02:00',
    '2026-01-31T07:00:00-05:00',
  ]) {
    t.equal(readPageRequest(`from=${text}`).from, noon, text)
    t.equal(readPageRequest(`to=${text}`).to, noon, text)
  }
  t.equal(readPageRequest('from=2028-02-29').from, Date.UTC(2028, 1, 29), 'a leap day')
  const day = readPageRequest('from=2026-01-31&to=2026-02-01')
  t.match(day, { from: Date.UTC(2026, 0, 31), to: Date.UTC(2026, 1, 1) }, 'a day, from midnight')
  t.end()
})

t.test('readPageRequest() refuses everything else with 400', (t) => {
  const least = "Field 'limit' must be more or equal to 1"
  t.throws(() => readPageRequest('limit=0'), { code: 'BAD_REQUEST', message: least })
  t.throws(() => readPageRequest('limit='), { message: least })
  t.throws(() => readPageRequest('limit=-1'), { message: least })
  t.throws(() => readPageRequest('limit=201'), {
    message: "Field 'limit' must be less or equal to 200",
  })
  const wrong = ['limit=abc', 'limit=1.5', 'since=-1', 'since=+1', 'after=x', 'from=today']
  wrong.push('from=2026-13-01T00:00:00Z', 'to=2026-02-30T', 'to=2026-1-1', 'to=9999999999')
  wrong.push('from=2026-02-31', 'to=2026-02-29T12:00:00Z', 'to=2026-04-31T00:00:00-05:00')
  wrong.push('from=2026-01-31T24:00:00Z')
  for (const border of ['since', 'after']) {
    wrong.push(`${border}=18446744073709551616`, `${border}=${'9'.repeat(200)}`)
  }
  for (const query of wrong) {
    t.throws(() => readPageRequest(query), { code: 'BAD_REQUEST' }, query)
  }
  t.end()
})

t.test('[API20] describePage() leaves next out on the last page', (t) => {
  t.same(describePage('/message', readPageRequest('limit=5&since=9'), 3, null), {
    size: 3,
    since: 0,
    limit: 5,
  })
  t.end()
})

t.test('describePage() goes on where the page ended, in the direction of the request', (t) => {
  t.same(describePage('/message', readPageRequest('limit=2&zzz=1&since=9'), 2, 4), {
    next: '/message?limit=2&since=4',
    size: 2,
    since: 4,
    limit: 2,
  })
  const query = 'after=1&since=99&limit=2&from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z'
  t.match(describePage('/message', readPageRequest(query), 2, 4), {
    next:
      '/message?after=4&from=2026-01-01T00%3A00%3A00.000Z&limit=2&since=99' +
      '&to=2027-01-01T00%3A00%3A00.000Z',
  })
  const { next } = describePage('/message', readPageRequest(query), 2, 4) as { next: string }
  t.same(readPageRequest(next.slice('/message?'.length)), { ...readPageRequest(query), after: 4 })
  t.end()
})
