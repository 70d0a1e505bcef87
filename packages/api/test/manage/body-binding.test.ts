import type { PushError } from '@bellwire/common'
import fc from 'fast-check'
import t from 'tap'
import type { RouteContext } from '../../src/http/types.ts'
import { bindBody } from '../../src/manage/body-binding.ts'
import { boolean, integer, optionalInteger, text } from '../../src/manage/fields.ts'

const FIELDS = {
  name: text({ required: true, maxLength: 20 }),
  level: integer(),
  seconds: optionalInteger({ min: 0, max: 9 }),
  admin: boolean(),
}

interface Sent {
  readonly type?: string
  readonly query?: string
  readonly body?: string | Uint8Array
}

function context({ type, query = '', body = '' }: Sent): RouteContext {
  return {
    request: {
      method: 'POST',
      path: '/x',
      query,
      headers: new Map(type === undefined ? [] : [['content-type', type]]),
      remoteAddress: '127.0.0.1',
      secure: false,
    },
    params: {},
    body: Buffer.from(body),
    principal: null,
  }
}

function bind(sent: Sent) {
  return bindBody(context(sent), FIELDS)
}

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'

t.test('[API23] bindBody() reads JSON as Go does', async (t) => {
  const plain = { name: 'n', level: 0, seconds: null, admin: false }
  t.same(await bind({ type: JSON_TYPE, body: '{"name":"n"}' }), plain)
  t.same(await bind({ type: 'application/json; charset=utf-8', body: '{"name":"n"}' }), plain)
  t.same(await bind({ type: JSON_TYPE, body: '{"NAME":"n","unknown":[{}]}' }), plain)
  t.same(await bind({ type: JSON_TYPE, body: '{"name":"a","Name":"n"}' }), plain)
  t.same(await bind({ type: JSON_TYPE, body: '{"name":"n","Name":null,"level":null}' }), plain)
  t.same(await bind({ type: JSON_TYPE, body: '{"name":"n"} trailing "' }), plain)
  t.same(await bind({ type: JSON_TYPE, body: ' {"name":"n"}\n{"name":"second"}' }), plain)
  t.same(await bind({ type: JSON_TYPE, query: 'name=q&level=4', body: '{"name":"n"}' }), plain)
  t.same(
    await bind({ type: JSON_TYPE, body: '{"name":"}\\"{","level":-7,"seconds":0,"admin":true}x' }),
    { name: '}"{', level: -7, seconds: 0, admin: true },
  )
})

t.test('[API23] bindBody() refuses JSON of another shape with 400', async (t) => {
  const bodies = [
    '',
    ' ',
    '{',
    '{"name":"x"',
    '{"name":"x\\"',
    '[1]',
    '"text"',
    '5',
    'name=x',
    '\ufeff{"name":"x"}',
    '{"name":5}',
    '{"name":"x","level":"5"}',
    '{"name":"x","level":1.5}',
    '{"name":"x","level":9007199254740993}',
    '{"name":"x","level":1e300}',
    '{"name":"x","seconds":-1}',
    '{"name":"x","seconds":10}',
    '{"name":"x","admin":"yes"}',
    '{"name":"a\\u0000b"}',
    '{"name":"123456789012345678901"}',
    '['.repeat(100_000),
    '{"a":'.repeat(100_000),
    '"\\"'.repeat(100_000),
  ]
  for (const body of bodies) {
    await t.rejects(bind({ type: JSON_TYPE, body }), { code: 'BAD_REQUEST' }, body.slice(0, 40))
  }
})

t.test('[API23] bindBody() reads forms, queries and multipart as gin does', async (t) => {
  const all = { name: 'a b', level: 3, seconds: 2, admin: true }
  const query = 'name=a+b&level=%2B3&seconds=2&admin=T'
  t.same(await bind({ query }), all)
  t.same(await bind({ query, type: 'text/plain', body: 'name=z' }), all, 'the body is not read')
  t.same(await bind({ type: FORM_TYPE, body: query }), all)
  t.same(await bind({ type: FORM_TYPE, body: 'name=a+b&level=3', query: `${query}&level=8` }), all)
  t.same(
    await bind({ type: 'APPLICATION/JSON', query, body: '{"name":"z"}' }),
    all,
    'capitals make a form of it',
  )
  t.same(await bind({ query: 'name=x&name=y&level=&admin=' }), {
    name: 'x',
    level: 0,
    seconds: null,
    admin: false,
  })
  const part = (name: string, value: string) =>
    `--mark\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  t.same(
    await bind({
      type: 'multipart/form-data; boundary=mark',
      query: 'level=9',
      body: `${part('name', 'ü')}${part('seconds', '2')}${part('name', 'second')}--mark--`,
    }),
    { name: 'ü', level: 0, seconds: 2, admin: false },
    'only the body counts, and the first of several',
  )
})

t.test('[API23] bindBody() refuses broken forms with 400', async (t) => {
  const wrong: Sent[] = [
    { query: 'name=x&level=abc' },
    { query: 'name=x&level=1.5' },
    { query: 'name=x&level=99999999999999999999' },
    { query: 'name=x&seconds=-1' },
    { query: 'name=x&admin=yes' },
    { query: 'name=%00' },
    { type: 'multipart/form-data', body: 'x' },
    { type: 'multipart/form-data; boundary=mark', body: '--mark\r\nContent-Disp' },
    { type: 'application/xml', query: 'name=x' },
  ]
  for (const sent of wrong) {
    await t.rejects(bind(sent), { code: 'BAD_REQUEST' }, JSON.stringify(sent))
  }
})

t.test('bindBody() names every missing field in the words of Gotify', async (t) => {
  const fields = { name: text({ required: true }), pass: text({ required: true }) }
  const message = "Field 'name' is required; Field 'pass' is required"
  for (const sent of [{}, { type: JSON_TYPE, body: '{"name":"","pass":null}' }]) {
    await t.rejects(bindBody(context(sent), fields), { code: 'BAD_REQUEST', message })
  }
})

t.test('bindBody() replaces half a surrogate pair, which UTF-8 cannot hold', async (t) => {
  const { name } = await bind({
    type: JSON_TYPE,
    body: '{"name":"a\\ud800b\\ude00\\ud83d\\ude00"}',
  })
  t.equal(name, 'a\ufffdb\ufffd\u{1f600}')
})

t.test('bindBody() answers or refuses whatever comes', async () => {
  const types = [JSON_TYPE, FORM_TYPE, 'multipart/form-data; boundary=m', 'text/plain', '']
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...types),
      fc.string({ unit: 'binary' }),
      fc.oneof(fc.json(), fc.string({ unit: 'binary' }), fc.uint8Array()),
      async (type, query, body) => {
        try {
          await bind({ type, query, body })
        } catch (error) {
          if ((error as PushError).code !== 'BAD_REQUEST') throw error
        }
      },
    ),
    { numRuns: 500 },
  )
})
