/**
 * Throws random requests at POST /message and random offers and frames at GET /stream of a whole
 * server. What is accepted is delivered as it was acknowledged; all else is refused in Gotify's shape
 * of an error, below 500; the process lives. (The other endpoints: test/manage/any-input.test.ts.)
 */
import fc from 'fast-check'
import t from 'tap'
import { type Answer, ApiClient, idOf } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import {
  type Handshake,
  offerStream,
  OPCODE,
  openStream,
  StreamClient,
} from '../support/ws-client.ts'

t.setTimeout(120_000)

/** Set it to repeat a run. */
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)
t.comment(`FUZZ_SEED=${seed}`)
const bounded = { seed, numRuns: 400, interruptAfterTimeLimit: 5_000 }

const server = await startBellwire(t)
const { pid } = server
const api = new ApiClient(server)
t.teardown(async () => api.close())
const identity = await api.identity()
const { applicationId, applicationToken, clientToken, basic } = identity

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', ' ', '\0', '\ud800', '0', '-1', '1e400', '9223372036854775808', '<&>\u2028'),
  fc.string().map((text) => text.repeat(500)),
)
const anyValue = fc.oneof(anyText, fc.jsonValue(), fc.maxSafeInteger(), fc.double(), fc.boolean())
const names = ['message', 'title', 'priority', 'extras', 'appid', 'id', 'date', 'token']
const wildFields = fc.dictionary(
  fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...names, 'MESSAGE', '__proto__', 'constructor', '') },
    fc.string(),
  ),
  anyValue,
  { maxKeys: 8 },
)
/** Right types, so that the values get as far as the database. */
const plausibleFields = fc.record(
  {
    message: fc.oneof(anyText, fc.constant('x')),
    title: anyText,
    priority: fc.oneof(fc.maxSafeInteger(), fc.bigInt().map(Number)),
    extras: fc.dictionary(anyText, fc.jsonValue(), { maxKeys: 4 }),
    appid: fc.oneof(fc.constant(applicationId), fc.integer()),
  },
  { requiredKeys: ['message'] },
)
const anyFields: fc.Arbitrary<Record<string, unknown>> = fc.oneof(wildFields, plausibleFields)

interface Body {
  readonly type: string
  readonly bytes: Uint8Array
}

const FORM = 'application/x-www-form-urlencoded'
const MULTIPART = 'multipart/form-data; boundary=mark'
const anyBody: fc.Arbitrary<Body> = fc.oneof(
  anyFields.map((fields) => body('application/json', JSON.stringify(fields))),
  fc.json({ maxDepth: 8 }).map((json) => body('application/json; charset=utf-8', json)),
  fc
    .integer({ min: 1, max: 5_000 })
    .map((depth) => body('application/json', '[{"a":'.repeat(depth))),
  anyFields.map((fields) => body(FORM, formOf(fields))),
  anyFields.map((fields) => body(MULTIPART, multipartOf(fields))),
  fc
    .tuple(
      fc.constantFrom(
        'application/json',
        FORM,
        MULTIPART,
        'multipart/form-data',
        'text/xml',
        ';',
        '',
      ),
      fc.uint8Array({ maxLength: 2_000 }),
    )
    .map(([type, bytes]) => ({ type, bytes })),
)

const headerValue = fc.oneof(
  fc.stringMatching(/^[!-~]([ -~]{0,80}[!-~])?$/),
  fc.constantFrom(
    'gzip',
    'a, b',
    'http://other.example',
    'null',
    'Basic Og==',
    'Bearer gtfya.x',
    '0',
  ),
)
const publishHeaders = fc.dictionary(
  fc.constantFrom(
    ...['accept', 'cookie', 'origin', 'authorization', 'x-gotify-key', 'idempotency-key'],
    ...[
      'content-encoding',
      'x-forwarded-for',
      'sec-fetch-site',
      'user-agent',
      'x-' + 'y'.repeat(99),
    ],
  ),
  headerValue,
  { maxKeys: 2 },
)

function body(type: string, text: string): Body {
  return { type, bytes: Buffer.from(text) }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function formOf(fields: Record<string, unknown>): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) form.append(name, asText(value))
  return form.toString()
}

function multipartOf(fields: Record<string, unknown>): string {
  const parts = Object.entries(fields).map(([name, value]) => {
    const head = `Content-Disposition: form-data; name="${name.replace(/["\r\n]/g, '')}"`
    return `--mark\r\n${head}\r\n\r\n${asText(value)}\r\n`
  })
  return `${parts.join('')}--mark--\r\n`
}

/** What was thrown out is said in Gotify's words; only a refused origin has an empty body. */
function isGotifyRefusal({ status, text }: Answer | Handshake): boolean {
  if (status < 400 || status >= 500) return false
  const json = text.slice(text.lastIndexOf('{"error":'))
  if (!json.startsWith('{')) return status === 403 && /(^|\r\n\r\n)$/.test(text)
  const error = JSON.parse(json) as Record<string, unknown>
  return error['errorCode'] === status && error['errorDescription'] !== ''
}

t.test('POST /message answers whatever comes, and delivers what it accepted', async (t) => {
  const stream = await openStream(server.port, { token: clientToken })
  const accepted = new Set<string>()
  const credentials = fc.constantFrom(
    ...[{ token: applicationToken }, { token: applicationToken }, { token: applicationToken }],
    ...[{ basic }, { token: clientToken }, {}],
  )
  await fc.assert(
    fc.asyncProperty(
      ...([credentials, anyFields, anyBody, publishHeaders] as const),
      async (credential, query, { type, bytes }, headers) => {
        const answer = await api.call(`POST /message?${formOf(query)}`, {
          body: bytes,
          headers: { ...headers, ...(type !== '' && { 'content-type': type }) },
          ...credential,
        })
        if (answer.status === 200) accepted.add(answer.text)
        else if (!isGotifyRefusal(answer)) throw new Error(`${answer.status} ${answer.text}`)
      },
    ),
    bounded,
  )
  t.comment(`${accepted.size} were accepted`)
  t.ok(accepted.size > 10, 'some are accepted')
  const last = await api.publish(applicationToken, 'the last')
  accepted.add(last.text)
  await stream.untilId(idOf(last.text))
  const byId = (a: string, b: string): number => idOf(a) - idOf(b)
  t.same(stream.texts, [...accepted].sort(byId), 'each is delivered once, in order, as it is')
  t.same(await api.history(identity), stream.texts, 'and the history says the same')
  stream.destroy()
})

const anyOffer = fc.record(
  {
    token: fc.oneof({ weight: 4, arbitrary: fc.constant(clientToken) }, headerValue),
    after: fc.oneof(
      fc.nat().map(String),
      anyText.map((text) => text.toWellFormed()),
    ),
    headers: fc.dictionary(
      fc.constantFrom(
        ...['upgrade', 'connection', 'sec-websocket-version', 'sec-websocket-key', 'origin'],
        ...['sec-websocket-protocol', 'sec-websocket-extensions', 'user-agent', 'cookie'],
      ),
      headerValue,
      { maxKeys: 3 },
    ),
  },
  { requiredKeys: ['token'] },
)
const anyFrame = fc.record({
  opcode: fc.integer({ min: 0, max: 15 }),
  fin: fc.boolean(),
  rsv: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.nat({ max: 7 })),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 130 }),
    fc.constantFrom(8_191, 8_192, 8_193, 20_000, 70_000).map((length) => new Uint8Array(length)),
  ),
})

t.test('GET /stream answers whatever is offered, and takes or ends whatever is sent', async (t) => {
  let opened = 0
  await fc.assert(
    fc.asyncProperty(anyOffer, fc.array(anyFrame, { maxLength: 6 }), async (offer, frames) => {
      const result = await offerStream(server.port, offer)
      if (!(result instanceof StreamClient)) {
        if (!isGotifyRefusal(result)) throw new Error(`${result.status} ${result.text}`)
        return
      }
      opened++
      for (const { opcode, payload, fin, rsv } of frames) result.send(opcode, payload, { fin, rsv })
      result.send(OPCODE.ping, 'still there?')
      const answered = (): boolean =>
        result.others.some(({ opcode, payload }) => opcode === OPCODE.pong && payload.length === 12)
      await result.until(answered).catch((error: unknown) => {
        if (!result.isClosed) throw error
      })
      result.destroy()
    }),
    bounded,
  )
  t.comment(`${opened} were opened`)
  t.ok(opened > 10, 'some are opened')
})

t.test('The process goes on', async (t) => {
  t.equal(server.pid, pid)
  t.match(JSON.parse((await api.call('GET /health')).text), { health: 'green' })
  const stream = await openStream(server.port, { token: clientToken })
  const { text } = await api.publish(applicationToken, 'as ever')
  await stream.untilId(idOf(text))
  t.same(stream.texts, [text])
  stream.destroy()
  const errors = server.logs.filter((line) => /"level":"(error|fatal)"/.test(line))
  t.same(errors, [], 'and nothing unexpected happened inside')
})
