/** Promise 6: whatever a peer sends, it costs a bounded part of the server and nobody else's answer. */
import t from 'tap'
import { RawConnection } from '../http/raw-connection.ts'
import { type Answer, ApiClient, type Identity } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import { openStream } from '../support/ws-client.ts'
import { checkDelivered, describeAnswers } from './traffic.ts'

const MIB = 1_048_576

const bellwire = await startBellwire(t)
const api = new ApiClient(bellwire)
t.teardown(() => api.close())
const user: Identity = await api.identity()

function send(body: string | Uint8Array, type = 'application/json'): Promise<Answer> {
  const headers = { 'content-type': type }
  return api.call('POST /message', { token: user.applicationToken, body, headers })
}

t.test(
  '[PUB3] A publish that cannot be taken is refused with what is wrong, and stores nothing',
  async (t) => {
    const refused: readonly (readonly [number, string, string | Uint8Array, string?])[] = [
      [413, 'above the bound', JSON.stringify({ message: 'x'.repeat(5 * MIB) })],
      [400, 'truncated', '{"message":"x'],
      [400, 'empty', ''],
      [400, 'no object', '["message"]'],
      [400, 'no message', '{"title":"x"}'],
      [400, 'a message of another type', '{"message":1}'],
      [400, 'NUL in the message', '{"message":"a\\u0000b"}'],
      [400, 'NUL in the title', '{"message":"a","title":"\\u0000"}'],
      [400, 'NUL in a form', 'message=a%00b', 'application/x-www-form-urlencoded'],
      [400, 'a priority beyond 2^53', '{"message":"a","priority":9007199254740993}'],
      [400, 'a priority with a fraction', '{"message":"a","priority":1.5}'],
      [400, 'extras that are a list', '{"message":"a","extras":[]}'],
      [
        400,
        'extras nested 20,000 deep',
        `{"message":"a","extras":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`,
      ],
      [400, 'a multipart body without a boundary', 'x', 'multipart/form-data'],
      [
        400,
        'a multipart body that is cut',
        '--b\r\ncontent-disposi',
        'multipart/form-data; boundary=b',
      ],
      [400, 'bytes that are no text', Uint8Array.of(0xff, 0xfe, 0x00, 0x7b)],
    ]
    for (const [status, name, body, type] of refused) {
      const answer = await send(body, type)
      t.equal(answer.status, status, `${name}: ${answer.text.slice(0, 200)}`)
      t.match(answer.text, /^\{"error":"[^"]+","errorCode":\d+,"errorDescription":"/)
      t.notMatch(answer.text, 'call stack', name)
    }
    t.equal((await api.history(user)).length, 0)
  },
)

t.test('[PUB4] What is taken is kept exactly, or as Go would write it', async (t) => {
  const stream = await openStream(bellwire.port, { token: user.clientToken })
  const before = (await api.history(user)).length
  const texts = await Promise.all([
    send('{"message":"n","extras":{"a::b":{"n":9007199254740993,"d":0.1234567890123456789}}}'),
    send('{"message":"lone \\ud800 half"}'),
    send('{"message":"edge","priority":9007199254740991}'),
    send('{"message":"first"}{"message":"second"}'),
    send(JSON.stringify({ message: 'x'.repeat(4 * MIB - 100) })),
  ])
  t.equal(describeAnswers(texts.filter(({ status }) => status !== 200)), '')
  t.match(texts[0].text, '"n":9007199254740993,"d":0.1234567890123456789')
  t.match(texts[1].text, '"message":"lone \ufffd half"')
  t.match(texts[2].text, '"priority":9007199254740991')
  t.match(texts[3].text, '"message":"first"')
  const history = await api.history(user)
  await checkDelivered(t, [stream], history.slice(before))
})

t.test('[LIM10] Bodies that their senders break off leave the room of others', async (t) => {
  const { applicationToken: token } = user
  const head = `POST /message HTTP/1.1\r\nHost: h\r\nX-Gotify-Key: ${token}\r\n`
  const most = Buffer.alloc(4 * MIB - 1, 'x')
  const answers: string[] = []
  // More than all bodies together may hold.
  for (let sent = 0; sent < 272 * MIB; sent += most.length) {
    const sender = await RawConnection.open(bellwire.port)
    sender.write(`${head}Content-Length: ${4 * MIB}\r\n\r\n`)
    sender.write(most)
    sender.end()
    answers.push(await sender.closed())
  }
  t.equal(answers.join(''), '', 'nobody is refused')
})

t.test('[AUTH8] 20,000 wrong tokens are refused, and the right one goes on working', async (t) => {
  const memory = await bellwire.residentBytes()
  let wrong = 0
  const guess = async (from: number): Promise<void> => {
    for (let index = from; index < 20_000; index += 32) {
      const token = index % 2 === 0 ? `A${String(index).padStart(14, 'x')}` : `gtfya.${index}`
      const { status } = await api.call('POST /message?message=guess', { token })
      if (status === 401) wrong++
    }
  }
  const guesses = Promise.all(Array.from({ length: 32 }, (_, from) => guess(from)))
  const right: number[] = []
  let guessing = true
  const good = async (): Promise<void> => {
    while (guessing) right.push((await api.publish(user.applicationToken, 'right')).status)
  }
  const publishing = good()
  await guesses
  guessing = false
  await publishing
  t.equal(wrong, 20_000)
  t.ok(right.length > 0)
  t.same([...new Set(right)], [200])
  const grown = (await bellwire.residentBytes()) - memory
  t.comment(`grown by ${Math.round(grown / MIB)} MiB`)
  t.ok(grown < 150 * MIB)
})

t.test('[API31] A sender that asks to close is told so, and the connection closes', async (t) => {
  const requests = [
    'GET /version HTTP/1.1',
    `POST /message?message=bye&token=${user.applicationToken} HTTP/1.1`,
    'POST /message?message=bye&token=Awrong......... HTTP/1.1',
    'GET /nowhere HTTP/1.1',
    `GET /stream?token=${user.clientToken} HTTP/1.1`,
    'GET /version HTTP/1.1\r\ncontent-length: 0',
    `POST /message?message=bye&token=${user.applicationToken} HTTP/1.1\r\ncontent-length: 0`,
  ]
  for (const request of requests) {
    for (const asks of ['Close', 'TE, close', 'close ,TE', 'keep-alive', 'enclose, TE', '']) {
      const connection = await RawConnection.open(bellwire.port)
      const headers = `host: h\r\ncontent-length: 0\r\nconnection: ${asks}`
      connection.write(`${request}\r\n${headers}\r\n\r\n`)
      const told = (await connection.answer())?.headers.get('connection')
      const closes =
        /\bclose\b/i.test(asks) || request.includes('/stream') || request.includes('length')
      t.equal(told, closes ? 'close' : undefined, `${request}: ${asks}`)
      if (closes) t.equal(await connection.answer(), null, 'the connection ends')
      connection.destroy()
    }
  }
})

t.test(
  '[AUTH12] A good login is answered before 300 wrong ones are through, at the default strength',
  async (t) => {
    const careful = await startBellwire(t, { GOTIFY_PASSSTRENGTH: '10' })
    const client = new ApiClient(careful)
    t.teardown(() => client.close())
    const { basic } = await client.identity()
    const statuses: number[] = []
    const wrong = Array.from({ length: 300 }, async (_, index) => {
      const answer = await client.call('GET /current/user', { basic: `admin:wrong${index}` })
      statuses.push(answer.status)
    })
    await Promise.race(wrong)
    // A name that was not seen lately, so that its password must be hashed, too.
    const good = await client.call('GET /current/user', { basic })
    t.equal(good.status, 200)
    t.ok(statuses.length < 300, `${300 - statuses.length} wrong ones still wait`)
    const others = statuses.filter((status) => ![401, 429, 503].includes(status))
    t.same(others, [], 'wrong ones are refused')
  },
)

t.test('[API5] Nothing hides in a request whose length can be read in two ways', async (t) => {
  const sender = await api.identity()
  const target = `POST /message?token=${sender.applicationToken}&message=`
  const hidden = `${target}hidden HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n`
  const json = 'Content-Type: application/json\r\n'
  const body = '{"message":"x"}'
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  const lengths = (one: number, other: number): string =>
    `Content-Length: ${one}\r\nContent-Length: ${other}\r\n\r\n`
  const heads = [
    `${target} HTTP/1.1\r\nHost: h\r\n${lengths(0, hidden.length)}`,
    `GET /stream?token=${sender.clientToken} HTTP/1.1\r\nHost: h\r\n${lengths(0, hidden.length)}`,
    `POST /message?token=wrong HTTP/1.1\r\nHost: h\r\n${json}${lengths(15, 200)}${body}`,
    `${target} HTTP/1.1\r\nHost: h\r\n${json}${lengths(15, 200)}${body}`,
    `${target} HTTP/1.1\r\nHost: h\r\n${json}${lengths(15, 15)}${body}`,
    `${target} HTTP/1.1\r\nHost: h\r\n${json}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${chunked}`,
  ]
  for (const head of heads) {
    const together = await RawConnection.open(bellwire.port)
    together.write(head + hidden)
    await together.closed()
    const later = await RawConnection.open(bellwire.port)
    later.write(head)
    await later.closed()
  }
  t.strictSame(await api.history(sender), [])
})
