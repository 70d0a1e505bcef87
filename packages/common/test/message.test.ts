import fc from 'fast-check'
import t from 'tap'
import { encodeJson, encodeMessage, encodeMessageTail } from '../src/message.ts'

const FIELDS = {
  applicationId: 7,
  title: 'a title',
  message: 'a text',
  priority: -2,
  extras: '{"a::b":{"n":1.50}}',
  date: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
}

t.test('[DLV5] encodeMessage() keeps the key order of Gotify and the text of the extras', (t) => {
  t.equal(
    encodeMessage(12, encodeMessageTail(FIELDS)),
    '{"id":12,"appid":7,"message":"a text","title":"a title","priority":-2,' +
      '"extras":{"a::b":{"n":1.50}},"date":"2026-01-02T03:04:05.006Z"}',
  )
  t.end()
})

t.test('[DLV5] encodeMessage() leaves out extras that are not there', (t) => {
  for (const extras of [null, '']) {
    const text = encodeMessage(1, encodeMessageTail({ ...FIELDS, extras }))
    t.notOk(text.includes('extras'))
    t.equal((JSON.parse(text) as { date: string }).date, '2026-01-02T03:04:05.006Z')
  }
  t.end()
})

t.test('[DLV5] encodeMessage() escapes what Go escapes, in extras too', (t) => {
  const text = encodeMessage(
    1,
    encodeMessageTail({ ...FIELDS, message: '<&>\u2028\u2029', extras: '{"<":"&"}' }),
  )
  t.match(text, '"message":"\\u003c\\u0026\\u003e\\u2028\\u2029"')
  t.match(text, '"extras":{"\\u003c":"\\u0026"}')
  t.end()
})

t.test(
  '[DLV5] encodeMessage() writes the date of each message, also of those that alternate',
  (t) => {
    for (const date of [0, 1, 1, 0, -1, FIELDS.date]) {
      const { date: text } = JSON.parse(
        encodeMessage(1, encodeMessageTail({ ...FIELDS, date })),
      ) as { date: string }
      t.equal(Date.parse(text), date)
    }
    t.end()
  },
)

t.test('encodeJson() loses nothing and leaves no character that HTML would read', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = encodeJson(value)
      t.notMatch(text, /[<>&\u2028\u2029]/)
      t.same(JSON.parse(text), JSON.parse(JSON.stringify(value)))
    }),
    { numRuns: 200 },
  )
  t.end()
})
