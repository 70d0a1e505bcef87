import fc from 'fast-check'
import assert from 'node:assert/strict'
import t from 'tap'
import { parseExactly, stringifyExtras } from '../../src/publish/exact-json.ts'

function turnedAround(text: string): string {
  const parsed = parseExactly(text)
  assert.ok(typeof parsed === 'object' && parsed !== null)
  return stringifyExtras(parsed)
}

t.test('parseExactly() keeps every digit that a double would lose', (t) => {
  const numbers = [
    '1234567890123456789',
    '-9007199254740993',
    '0.12345678901234567890123',
    '-0',
    '-0.0',
    '-0e5',
    '-1E-400',
    '100000000000000000000000000000001',
    '12345678901234567890.5e-3',
  ]
  for (const number of numbers) {
    for (const text of [`{"n":${number}}`, `{"a":[1,{"n":${number}},"x"]}`]) {
      t.equal(turnedAround(text), text)
    }
  }
  t.end()
})

t.test('parseExactly() reads any JSON as JSON.parse does, numbers aside', (t) => {
  fc.assert(
    fc.property(fc.object({ withNullPrototype: false }), (value) => {
      const text = JSON.stringify(value)
      assert.deepEqual(JSON.parse(turnedAround(text)), JSON.parse(text))
    }),
  )
  fc.assert(
    fc.property(fc.bigInt(), fc.string(), (number, key) => {
      const text = `{${JSON.stringify(key)}:[${number},${JSON.stringify(String(number))}]}`
      assert.equal(turnedAround(text), text)
    }),
  )
  t.pass('no counterexample')
  t.end()
})

t.test('parseExactly() refuses what JSON.parse refuses, beside a long number too', (t) => {
  const wrong = [
    '{',
    '{"a":}',
    '{"a":1.}',
    '{"a":01}',
    '{"a":"\\q"}',
    '{"a":"b\n"}',
    '{"a":--1}',
    '',
  ]
  for (const text of wrong) {
    t.throws(() => parseExactly(text), SyntaxError)
    const withNumber = text.replace('{', '{"n":12345678901234567890,')
    t.throws(() => parseExactly(withNumber), SyntaxError)
  }
  for (const text of ['{"n":1234567890123456.}', '{"n":0123456789012345678}', '{"n":1e400e5}']) {
    t.throws(() => parseExactly(text), SyntaxError)
  }
  t.end()
})

t.test('parseExactly() takes the last of two equal keys, as JSON.parse does', (t) => {
  t.equal(turnedAround('{"n":1,"n":2}'), '{"n":2}')
  t.equal(turnedAround('{"n":1e999,"n":12345678901234567890}'), '{"n":12345678901234567890}')
  t.end()
})

t.test('parseExactly() ignores what follows the first value', (t) => {
  t.equal(turnedAround('{"n":1} trailing'), '{"n":1}')
  t.equal(turnedAround('{"n":12345678901234567890}{"n":2}'), '{"n":12345678901234567890}')
  t.equal(turnedAround('{"n":"}"}]'), '{"n":"}"}')
  t.end()
})

t.test('parseExactly() and stringifyExtras() keep a key named __proto__', (t) => {
  for (const number of ['1', '12345678901234567890']) {
    const text = `{"__proto__":{"n":${number}}}`
    t.equal(turnedAround(text), text)
  }
  t.end()
})

t.test('parseExactly() takes no string for a number', (t) => {
  const text = '{"a":"number 12345678901234567890","n":12345678901234567890}'
  t.equal(turnedAround(text), text)
  t.end()
})

t.test('stringifyExtras() writes U+FFFD for half a surrogate pair, and nothing else', (t) => {
  t.equal(turnedAround('{"a":"\\ud800x\\udfff"}'), '{"a":"\ufffdx\ufffd"}')
  t.equal(turnedAround('{"a":"\\\\ud800"}'), '{"a":"\\\\ud800"}', 'an escaped backslash stays')
  t.equal(turnedAround('{"a":"\\\\\\ud800"}'), '{"a":"\\\\\ufffd"}')
  t.equal(turnedAround('{"a":"\\ud83d\\ude00"}'), '{"a":"\u{1f600}"}', 'a whole pair stays')
  t.end()
})

t.test('parseExactly() throws, and does not crash, when a text is nested too deep', (t) => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
  t.throws(() => turnedAround(`{"a":${deep}}`), RangeError)
  t.throws(() => turnedAround(`{"n":12345678901234567890,"a":${deep}}`), RangeError)
  t.end()
})

t.test('parseExactly() takes a time that grows with the text and not faster', (t) => {
  const bodies: ((length: number) => string)[] = [
    (length) => `{"a":"${'\\"'.repeat(length)}1234567890123456`,
    (length) => `{"a":"${'\\\\'.repeat(length)}","n":12345678901234567890}`,
    (length) => `{"a":"${'\\ud800'.repeat(length)}","n":1}`,
    (length) => `{"n":0.${'1'.repeat(length)}}`,
    (length) => `{"n":[${'1e-400,'.repeat(length)}1]}`,
  ]
  for (const body of bodies) {
    const short = timeOf(body(20_000))
    const long = timeOf(body(400_000))
    // 20 times the text: a quadratic step would take 400 times as long.
    t.ok(long < 150 * Math.max(short, 1), `${short} ms, then ${long} ms`)
  }
  t.end()
})

/** Milliseconds of processor time, which others on the machine do not add to; the best of three. */
function timeOf(text: string): number {
  const times = [1, 2, 3].map(() => {
    const start = process.cpuUsage()
    try {
      turnedAround(text)
    } catch (error) {
      assert.ok(error instanceof SyntaxError)
    }
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1_000
  })
  return Math.min(...times)
}
