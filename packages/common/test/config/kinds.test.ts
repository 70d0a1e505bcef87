import t, { type Test } from 'tap'
import { splitCsvLine } from '../../src/config/csv-line.ts'
import { compileGoRegExp } from '../../src/config/go-regexp.ts'
import {
  addressRanges,
  headers,
  regExps,
  texts,
  tokens,
} from '../../src/config/kinds/collections.ts'
import type { Kind } from '../../src/config/kinds/kind.ts'
import { listenAddress } from '../../src/config/kinds/network.ts'
import {
  bool,
  hints,
  logLevel,
  newPassword,
  optionalUrl,
  wholeNumber,
} from '../../src/config/kinds/scalars.ts'

/** Every text with the value it must give, and texts that must be refused. */
function check<T>(
  t: Test,
  kind: Kind<T>,
  accepted: readonly [string, T][],
  refused: readonly string[],
): void {
  for (const [raw, value] of accepted) t.strictSame(kind.parse(raw), value, `reads ${raw}`)
  for (const raw of refused)
    t.throws(() => kind.parse(raw), { message: /^must be / }, `refuses ${raw}`)
  t.end()
}

t.test('[CONF3] wholeNumber() is as strict as Atoi of Go, within its bounds', (t) => {
  const accepted: [string, number][] = [
    ['0', 0],
    ['+5', 5],
    ['-1', -1],
    ['007', 7],
    ['65535', 65535],
  ]
  const refused = [
    '',
    ' 1',
    '1 ',
    '1.0',
    '1e3',
    '0x10',
    '1_000',
    '-2',
    '65536',
    'abc',
    '9'.repeat(400),
    'NaN',
    '٣',
  ]
  check(t, wholeNumber(-1, 65535), accepted, refused)
})

t.test('[CONF3] bool takes the words of ParseBool of Go', (t) => {
  const words = (list: string, value: boolean): [string, boolean][] =>
    list.split(' ').map((word) => [word, value])
  const accepted = [
    ...words('1 t T TRUE true True', true),
    ...words('0 f F FALSE false False', false),
  ]
  check(t, bool, accepted, ['', 'yes', 'no', 'on', 'tRUE', ' true', '2'])
})

t.test('[CONF3] logLevel turns the words of Gotify into levels of pino', (t) => {
  check(
    t,
    logLevel,
    [
      ['trace', 'trace'],
      ['INFO', 'info'],
      ['warn', 'warn'],
      ['panic', 'fatal'],
      ['disabled', 'silent'],
    ],
    ['', 'loud', 'warning', '1'],
  )
})

t.test('[CONF3] newPassword takes what bcrypt reads whole', (t) => {
  check(
    t,
    newPassword,
    [
      ['a', 'a'],
      ['é'.repeat(36), 'é'.repeat(36)],
    ],
    ['', `${'é'.repeat(36)}a`, 'a\0b'],
  )
})

t.test('[CONF3] optionalUrl and hints take the URLs they can use', (t) => {
  for (const url of ['', 'https://acme.example/dir', 'http://127.0.0.1:1/'])
    t.equal(optionalUrl.parse(url), url)
  for (const url of ['acme.example', 'ftp://x', 'https://'])
    t.throws(() => optionalUrl.parse(url), /^must be/)
  for (const url of ['postgres', 'nats://a:4222']) t.equal(hints.parse(url), url)
  for (const url of ['', 'redis://a', 'nats://']) t.throws(() => hints.parse(url), /^must be/)
  t.end()
})

t.test('[CONF3] splitCsvLine() reads quotes as encoding/csv of Go does in its lazy mode', (t) => {
  const cases: Record<string, string[]> = {
    'a,b,c': ['a', 'b', 'c'],
    ' a , "b" ,c': ['a ', 'b" ,c'],
    '"a,b","c""d",e': ['a,b', 'c"d', 'e'],
    'a"b,c': ['a"b', 'c'],
    '"ab"cd",test': ['ab"cd', 'test'],
    '"open, x': ['open, x'],
    '"",x,': ['', 'x', ''],
    ',': ['', ''],
  }
  for (const [line, fields] of Object.entries(cases)) t.strictSame(splitCsvLine(line), fields, line)
  t.end()
})

t.test('[CONF3] lists are one line without empty items', (t) => {
  check(
    t,
    texts,
    [
      ['', []],
      ['\n', []],
      ['a, b\r\n', ['a', 'b']],
    ],
    ['a,', ',a', 'a, ,b', 'a\nb', '""', 'a\0'],
  )
})

t.test('[CONF3] tokens are methods and header names', (t) => {
  check(t, tokens, [['GET,X-Custom_1', ['GET', 'X-Custom_1']]], ['GET POST', 'a:b', 'é', '"a\tb"'])
})

t.test('[CONF3] addressRanges are IP addresses and CIDR ranges', (t) => {
  check(
    t,
    addressRanges,
    [['127.0.0.1, ::1/128,10.0.0.0/8', ['127.0.0.1', '::1/128', '10.0.0.0/8']]],
    ['localhost', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0', '/8'],
  )
})

t.test('[CONF3] headers are a JSON object of valid names and texts', (t) => {
  check(
    t,
    headers,
    [
      ['', {}],
      ['{"X-Foo":"bar","x.y":""}', { 'X-Foo': 'bar', 'x.y': '' }],
    ],
    [
      'x',
      '[]',
      'null',
      '"a"',
      '{"a":1}',
      '{"a":null}',
      '{"a b":"c"}',
      '{"":"c"}',
      '{"a":"b\\r\\nc: d"}',
      '{"a":"\\u0100"}',
    ],
  )
})

t.test('[CONF3] listenAddress takes addresses, names and sockets', (t) => {
  check(
    t,
    listenAddress,
    [
      ['', ''],
      ['192.168.178.2', '192.168.178.2'],
      ['[::1]', '::1'],
      ['::', '::'],
      ['localhost', 'localhost'],
      ['unix:/run/gotify.sock', 'unix:/run/gotify.sock'],
    ],
    ['a b', 'http://x', 'localhost:80', '[::1]:80', 'unix:', `unix:/${'a'.repeat(107)}`, 'a..b'],
  )
})

t.test('[CONF3] compileGoRegExp() reads Go syntax and matches anywhere', (t) => {
  const cases: [string, string[], string[]][] = [
    [
      '.+\\.example\\.com',
      ['https://a.example.com', 'https://a.example.com.evil'],
      ['https://aexample.com'],
    ],
    [
      '^http://localhost:\\d+$',
      ['http://localhost:80'],
      ['http://localhost:', 'xhttp://localhost:80'],
    ],
    ['(?i)EXAMPLE', ['example'], ['exampl']],
    ['\\Aa\\z', ['a'], ['a\n', 'ba', 'A']],
    ['https\\:\\/\\/a\\-b\\_c[\\w\\-]', ['https://a-b_c-'], ['https://a-b_c.']],
    ['(?P<x>a)\\(?P<', ['a(P<', 'aP<'], ['a(<']],
    ['\\\\A', ['\\A'], ['A']],
  ]
  for (const [source, matching, others] of cases) {
    const regExp = compileGoRegExp(source)
    for (const text of matching) t.ok(regExp.test(text), `${source} matches ${text}`)
    for (const text of others) t.notOk(regExp.test(text), `${source} doesn't match ${text}`)
  }
  for (const source of ['a(', '*', '[[:alpha:]]', '\\Qa\\E', 'a(?i)b']) {
    t.throws(() => compileGoRegExp(source), SyntaxError, `refuses ${source}`)
  }
  t.throws(() => regExps.parse('ok,x('), /"x\(" is none \(Unterminated group\)/)
  t.end()
})
