import fc from 'fast-check'
import t from 'tap'
import { sortKeyAfter } from '../../src/manage/sort-keys.ts'

t.test('[API24] sortKeyAfter() counts on as Gotify does', (t) => {
  const cases = [
    [null, 'a0'],
    ['a0', 'a1'],
    ['a9', 'aA'],
    ['az', 'b00'],
    ['Zz', 'a0'],
    ['a0z', 'a1'],
    ['ab', 'ac'],
  ] as const
  for (const [last, next] of cases) t.equal(sortKeyAfter(last), next)
  t.end()
})

t.test('[API24] sortKeyAfter() goes on behind keys that are none', (t) => {
  t.equal(sortKeyAfter('zzz'), 'zzza0')
  t.equal(sortKeyAfter('zzza0'), 'zzza1')
  t.equal(sortKeyAfter('!!'), '!!a0')
  t.equal(sortKeyAfter('~'), '~a0')
  t.end()
})

t.test('sortKeyAfter() always answers a greater key, byte by byte', (t) => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[0-9A-Za-z]{0,40}$/)),
      (last) => {
        const next = sortKeyAfter(last)
        t.ok(Buffer.compare(Buffer.from(last), Buffer.from(next)) < 0, `${last} < ${next}`)
      },
    ),
    { numRuns: 2000 },
  )
  t.end()
})
