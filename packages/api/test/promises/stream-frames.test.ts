/** The stream as a WebSocket: what a client may send, right or wrong, and how a connection ends. */
import t from 'tap'
import { ApiClient, type Identity } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import { offerStream, OPCODE, openStream, type StreamClient } from '../support/ws-client.ts'

const READ_LIMIT = 1_024

const bellwire = await startBellwire(t, {
  GOTIFY_SERVER_STREAM_READBUFFERSIZE: String(READ_LIMIT),
  GOTIFY_SERVER_STREAM_PINGPERIODSECONDS: '1',
})
const api = new ApiClient(bellwire)
t.teardown(() => api.close())
const user: Identity = await api.identity()
/** Answers no ping; the last test waits for its end, which takes a while. */
const deaf = await open()
deaf.answersPings = false

function open(): Promise<StreamClient> {
  return openStream(bellwire.port, { token: user.clientToken })
}

/** Publishes and waits for the frame: whatever came before did no harm. */
async function stillWorks(stream: StreamClient): Promise<boolean> {
  const { text } = await api.publish(user.applicationToken, 'still there?')
  await stream.until(() => stream.texts.includes(text))
  return true
}

t.test('[WS1] A ping is answered by a pong with the same bytes', async (t) => {
  const stream = await open()
  for (const payload of ['', 'hello', 'x'.repeat(125)]) {
    stream.send(OPCODE.ping, payload)
    await stream.until(() =>
      stream.others.some(
        (frame) => frame.opcode === OPCODE.pong && frame.payload.toString() === payload,
      ),
    )
  }
  t.ok(await stillWorks(stream))
})

t.test('[WS2] Text, binary, pieces and pongs from a client are taken and ignored', async (t) => {
  const stream = await open()
  stream.send(OPCODE.text, 'text')
  stream.send(OPCODE.binary, Buffer.alloc(READ_LIMIT, 7))
  stream.send(OPCODE.text, '')
  stream.send(OPCODE.pong, 'nobody asked')
  stream.send(OPCODE.text, 'a ', { fin: false })
  stream.send(OPCODE.ping, 'between')
  stream.send(OPCODE.continuation, 'piece ', { fin: false })
  stream.send(OPCODE.continuation, 'by piece')
  t.ok(await stillWorks(stream))
})

t.test('[WS3] A close is answered with the same code, then the connection ends', async (t) => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1011, 4000, 4999]) {
    const stream = await open()
    stream.send(OPCODE.close, Uint8Array.of(code >> 8, code & 0xff, 98, 121, 101))
    t.equal((await stream.closed).code, code)
  }
  const silent = await open()
  silent.send(OPCODE.close)
  t.match(await silent.closed, { code: /^(1005|1000)$/ }, 'also one that names no code')
})

t.test('[WS4] What breaks the protocol or the read limit ends the connection alone', async (t) => {
  const witness = await open()
  const wrong: Record<string, (stream: StreamClient) => void> = {
    'a message above the read limit': (stream) =>
      stream.send(OPCODE.binary, Buffer.alloc(READ_LIMIT + 1)),
    'pieces that are together above it': (stream) => {
      stream.send(OPCODE.text, 'x'.repeat(READ_LIMIT), { fin: false })
      stream.send(OPCODE.continuation, 'x')
    },
    'a length of 2^63 bytes': (stream) =>
      stream.write(Uint8Array.of(0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4)),
    'reserved bits': (stream) => stream.send(OPCODE.text, 'x', { rsv: 7 }),
    'text that is no UTF-8': (stream) => stream.send(OPCODE.text, Uint8Array.of(0xc3, 0x28)),
    'a ping above 125 bytes': (stream) => stream.send(OPCODE.ping, 'x'.repeat(126)),
    'a ping in pieces': (stream) => stream.send(OPCODE.ping, 'x', { fin: false }),
    'a close with half a code': (stream) => stream.send(OPCODE.close, 'x'),
    'a piece of nothing': (stream) => stream.send(OPCODE.continuation, 'x'),
  }
  for (const [name, send] of Object.entries(wrong)) {
    const stream = await open()
    send(stream)
    t.ok(await stream.closed, name)
    t.ok(await stillWorks(witness))
  }
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    const stream = await open()
    stream.send(opcode, 'reserved')
    t.ok(await stillWorks(witness), `after opcode ${opcode}`)
    stream.destroy()
  }
  const garbage = await open()
  garbage.write(Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7_919) % 256)))
  t.ok(await stillWorks(witness), 'after garbage')
  garbage.destroy()
})

t.test('[WS5] An upgrade is refused before it happens, with an error in JSON', async (t) => {
  const { clientToken: token, applicationToken } = user
  const offers = [
    [401, {}],
    [401, { token: 'wrong' }],
    [401, { token: applicationToken }],
    [401, { basic: 'nobody:password' }],
    [400, { token, headers: { upgrade: 'h2c' } }],
    [400, { token, headers: { connection: 'keep-alive' } }],
    [400, { token, headers: { 'sec-websocket-version': '8' } }],
    [403, { token, headers: { origin: 'https://elsewhere.example' } }],
  ] as const
  for (const [status, options] of offers) {
    const answer = await offerStream(bellwire.port, options)
    t.match(answer, { status }, JSON.stringify(options))
  }
})

t.test('[WS6] Neither subprotocol nor extension is agreed on', async (t) => {
  const answer = await openStream(bellwire.port, {
    token: user.clientToken,
    headers: {
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
      'sec-websocket-protocol': 'chat, superchat',
    },
  })
  t.notMatch(answer.head.toLowerCase(), 'sec-websocket-extensions')
  t.notMatch(answer.head.toLowerCase(), 'sec-websocket-protocol')
  t.match(answer.head, /\r\nConnection: Upgrade\r\n/)
  t.ok(await stillWorks(answer))
})

t.test(
  '[WS7] A deleted client loses its sockets without a Close frame, nobody else does',
  async (t) => {
    const other = await open()
    const { text } = await api.call('POST /client', { basic: user.basic, json: { name: 'second' } })
    const second = JSON.parse(text) as { id: number; token: string }
    const doomed = await Promise.all([
      openStream(bellwire.port, { token: second.token }),
      openStream(bellwire.port, { token: second.token }),
    ])
    await api.call(`DELETE /client/${second.id}`, { basic: user.basic })
    for (const stream of doomed) t.same(await stream.closed, { code: null })
    t.ok(await stillWorks(other))
    t.equal(other.isClosed, false)
  },
)

t.test(
  '[WS8] The server pings in its period, and ends a socket that answers nothing',
  async (t) => {
    const stream = await open()
    const pings = (): number => stream.others.filter(({ opcode }) => opcode === OPCODE.ping).length
    await stream.until(() => pings() >= 18)
    t.ok(await stillWorks(stream), 'one that answers stays open')
    t.same(await deaf.closed, { code: null })
  },
)
