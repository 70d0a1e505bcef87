import { PushError } from '@bellwire/common'
import t from 'tap'
import { readBody, readMultipart } from '../../src/publish/body-fields.ts'
import { jsonCommand, publishCommand } from '../support/commands.ts'

const BAD = { name: 'PushError', code: 'BAD_REQUEST' }

t.test('readBody() reads the fields of a JSON body', (t) => {
  const body = { message: 'm', title: 't', priority: -3, appid: 9, extras: { a: { b: 1 } } }
  t.strictSame(readBody(jsonCommand(body)), {
    message: 'm',
    title: 't',
    priority: -3,
    extras: '{"a":{"b":1}}',
    applicationId: 9,
  })
  t.end()
})

t.test('readBody() matches JSON keys without regard to case, and takes null for absent', (t) => {
  t.match(readBody(jsonCommand('{"MESSAGE":"m","Title":null,"pRiority":5,"extras":null}')), {
    message: 'm',
    title: '',
    priority: 5,
    extras: null,
  })
  t.match(readBody(jsonCommand('null')), { message: '', priority: undefined })
  t.match(readBody(jsonCommand('{"__proto__":{"message":"m"}}')), { message: '' })
  t.ok(Object.is(readBody(jsonCommand('{"priority":-0}')).priority, 0), 'as Go reads it')
  t.end()
})

t.test('readBody() refuses JSON of the wrong shape and names the field', (t) => {
  const wrong: [string, string | RegExp][] = [
    ['[]', /object/],
    ['"text"', /object/],
    ['3', /object/],
    ['{"message":1}', /message/],
    ['{"message":12345678901234567890}', /message/],
    ['{"title":{}}', /title/],
    ['{"priority":"5"}', /priority/],
    ['{"priority":1.5}', /priority/],
    ['{"priority":9007199254740993}', /priority/],
    ['{"priority":1e400}', /priority/],
    ['{"appid":true}', /appid/],
    ['{"extras":[1]}', /extras/],
    ['{"extras":"x"}', /extras/],
    ['{"extras":12345678901234567890}', /extras/],
    [
      '{"extras":{"a":[-1e400]}}',
      "Field 'extras' cannot be read: the number -1e400 is out of range",
    ],
    ['{"message":', /JSON/],
    ['', /JSON/],
  ]
  for (const [text, message] of wrong) {
    t.throws(() => readBody(jsonCommand(text)), { ...BAD, message }, text)
  }
  t.end()
})

t.test('readBody() refuses extras nested too deep and lives', (t) => {
  for (const levels of [20_000, 200_000]) {
    const deep = `${'['.repeat(levels)}${']'.repeat(levels)}`
    const message = "Field 'extras' is nested too deep"
    t.throws(() => readBody(jsonCommand(`{"extras":{"a":${deep}}}`)), { ...BAD, message })
    const withNumber = { ...BAD, message: 'JSON: it is nested too deep' }
    const text = `{"extras":{"n":12345678901234567890,"a":${deep}}}`
    t.throws(() => readBody(jsonCommand(text)), withNumber)
  }
  t.end()
})

t.test('readBody() takes empty extras for none and keeps the numbers of others', (t) => {
  t.equal(readBody(jsonCommand('{"extras":{}}')).extras, null)
  const extras = '{"n":12345678901234567890}'
  t.equal(readBody(jsonCommand(`{"extras":${extras}}`)).extras, extras)
  t.end()
})

t.test('readBody() takes a form before the query, and the query where there is no body', (t) => {
  const query = 'message=query&title=from+query&priority=1'
  const body = Buffer.from('message=form+%C3%A9&priority=')
  t.match(readBody(publishCommand({ bodyKind: 'form', query, body })), {
    message: 'form é',
    title: 'from query',
    priority: 0,
    extras: null,
  })
  t.match(readBody(publishCommand({ bodyKind: 'query', query })), {
    message: 'query',
    priority: 1,
    applicationId: undefined,
  })
  t.end()
})

t.test('readBody() refuses a form number that is none', (t) => {
  for (const priority of ['x', '1.5', '0x10', '9007199254740993', '1e3', ' 1']) {
    const query = new URLSearchParams({ message: 'm', priority }).toString()
    t.throws(() => readBody(publishCommand({ bodyKind: 'query', query })), BAD, priority)
  }
  t.match(readBody(publishCommand({ bodyKind: 'query', query: 'priority=%2B7' })), { priority: 7 })
  t.end()
})

t.test('readBody() turns bytes that are no UTF-8 into U+FFFD', (t) => {
  const body = Buffer.concat([Buffer.from('{"message":"a'), Buffer.of(0xff), Buffer.from('"}')])
  t.equal(readBody(publishCommand({ body })).message, 'a\ufffd')
  t.end()
})

const TYPE = 'multipart/form-data; boundary=limit'

function part(name: string, value: string): string {
  return `--limit\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
}

t.test('readMultipart() reads the first value of each field', async (t) => {
  const parts = [part('message', 'm\r\nn'), part('message', 'x'), part('priority', '2')]
  const fields = await readMultipart(TYPE, Buffer.from(`${parts.join('')}--limit--\r\n`))
  t.match(fields, { message: 'm\r\nn', priority: 2, title: '', extras: null })
})

t.test('readMultipart() reads a field as long as the body', async (t) => {
  const text = 'long '.repeat(800_000)
  const fields = await readMultipart(TYPE, Buffer.from(`${part('message', text)}--limit--\r\n`))
  t.equal(fields.message.length, text.length)
})

t.test('readMultipart() refuses what is broken', async (t) => {
  const whole = `${part('message', 'm')}--limit--\r\n`
  const broken: [string, string][] = [
    [TYPE, ''],
    [TYPE, whole.slice(0, -20)],
    ['multipart/form-data', whole],
    [TYPE, `${part('priority', 'x')}--limit--\r\n`],
  ]
  for (const [type, body] of broken) {
    await t.rejects(readMultipart(type, Buffer.from(body)), BAD, `${type}: ${body}`)
  }
  await t.rejects(readMultipart('multipart/x; boundary=limit', Buffer.from(whole)), PushError)
})
