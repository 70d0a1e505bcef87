/**
 * Throws random paths, bodies, forms and headers at every endpoint: each request is answered, with
 * Gotify's error shape where it is refused, and never with a failure of the server.
 */
import fc from 'fast-check'
import t from 'tap'
import type { Route } from '../../src/http/types.ts'
import { startTestPostgres } from '../support/postgres.ts'
import { ADMIN, type Answer, numberIn, startManagementServer, textIn } from './management-server.ts'

t.setTimeout(120_000)
const server = await startManagementServer(t, {
  connection: await startTestPostgres(t),
  env: { GOTIFY_REGISTRATION: 'true' },
})
const user = await server.newUser()
const json = { name: 'n' }
const application = await server.call('POST /application', { basic: user.basic, json })
const client = await server.call('POST /client', { basic: user.basic, json })
const admin = await server.call('GET /current/user', { basic: ADMIN })
const other = await server.newUser()
const token = textIn(client, 'token')
const needed = new Set([application, client, admin].map((answer) => numberIn(answer, 'id')))
needed.add(user.id)
const ids = [...needed, other.id].map(String)

const fieldNames = [
  ...['name', 'description', 'defaultPriority', 'sortKey', 'regenerateToken', 'pass', 'admin'],
  ...['expiresAfterInactivitySeconds', 'durationSeconds', 'limit', 'since', 'after', 'from', 'to'],
  ...['legacyToken', 'file', 'token', '__proto__', 'constructor', 'NAME', ''],
]
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e9',
    '9223372036854775808',
    'true',
    '\0',
    '\ud800',
    '2026-01-01',
  ),
  fc.string().map((text) => text.repeat(200)),
)
const wildFields = fc.dictionary(
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...fieldNames) }, fc.string()),
  fc.oneof(anyText, fc.jsonValue(), fc.maxSafeInteger(), fc.double(), fc.boolean()),
  { maxKeys: 8 },
)
/** Right types, so that the texts get as far as the database. */
const plausibleFields = fc
  .tuple(anyText, anyText, fc.maxSafeInteger())
  .map(([name, pass, number]): Record<string, unknown> => ({
    ...{ name, pass, description: pass, sortKey: pass },
    ...{ defaultPriority: number, expiresAfterInactivitySeconds: 60, durationSeconds: number },
  }))
const anyFields = fc.oneof(wildFields, plausibleFields)
const anyId = fc.oneof(
  fc.constantFrom(...ids, '0', '-1', '+1', '007', '1.5', '18446744073709551615', 'a', '%00', '%ff'),
  fc.bigInt({ min: 0n, max: 2n ** 65n }).map(String),
  anyText.map((text) => encodeURIComponent(text.toWellFormed()) || '%20'),
)

interface Body {
  readonly type: string
  readonly bytes: Uint8Array
}

const formType = 'application/x-www-form-urlencoded'
const multipartType = 'multipart/form-data; boundary=mark'
const anyBody: fc.Arbitrary<Body> = fc.oneof(
  anyFields.map((fields) => ({ type: 'application/json', bytes: bytesOf(JSON.stringify(fields)) })),
  fc.string({ unit: 'binary' }).map((text) => ({ type: 'application/json', bytes: bytesOf(text) })),
  fc.uint8Array().map((bytes) => ({ type: 'application/json', bytes })),
  anyFields.map((fields) => ({ type: formType, bytes: bytesOf(formOf(fields)) })),
  fc.uint8Array().map((bytes) => ({ type: formType, bytes })),
  anyFields.map((fields) => ({ type: multipartType, bytes: bytesOf(multipartOf(fields)) })),
  fc.uint8Array().map((bytes) => ({ type: multipartType, bytes })),
  fc
    .tuple(
      fc.constantFrom('text/plain', 'application/xml', 'multipart/form-data', ';', '*'),
      anyText,
    )
    .map(([type, text]) => ({ type, bytes: bytesOf(text) })),
)

const headerValue = fc.stringMatching(/^[!-~][ -~]{0,80}[!-~]$/)
const anyHeaders = fc.dictionary(
  fc.constantFrom(
    'accept',
    'cookie',
    'range',
    'sec-fetch-site',
    'x-forwarded-for',
    'if-none-match',
  ),
  headerValue,
)

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text)
}

function formOf(fields: Record<string, unknown>): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) form.append(name, asText(value))
  return form.toString()
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function multipartOf(fields: Record<string, unknown>): string {
  const parts = Object.entries(fields).map(([name, value], i) => {
    const file = i % 3 === 0 ? `; filename="${name}.png"` : ''
    const head = `Content-Disposition: form-data; name="${name.replace(/["\r\n]/g, '')}"${file}`
    return `--mark\r\n${head}\r\n\r\n${asText(value)}\r\n`
  })
  return `${parts.join('')}--mark--\r\n`
}

/** What the next requests need must not be deleted, demoted or renamed by chance. */
function isRisky(route: Route): boolean {
  return (
    route.method === 'DELETE' || route.pattern === '/user/{id}' || route.pattern === '/client/{id}'
  )
}

function isGotifyError({ json, status, headers }: Answer): boolean {
  const error = json as Record<string, unknown>
  return (
    headers.get('content-type')?.startsWith('application/json') === true &&
    typeof error['error'] === 'string' &&
    error['errorCode'] === status &&
    typeof error['errorDescription'] === 'string' &&
    error['errorDescription'] !== ''
  )
}

/** Sessions and passwords of a user that nothing else needs; elevation where it is asked for. */
function credentialsFor(route: string): { basic: string } | { token: string } {
  if (/password|logout/.test(route)) return { basic: other.basic }
  if (route.includes(' /user')) return { basic: ADMIN }
  return /DELETE|security|elevate|login/.test(route) ? { basic: user.basic } : { token }
}

const NOT_MULTIPART = "request Content-Type isn't multipart/form-data"

for (const route of server.routes) {
  const name = `${route.method} ${route.pattern}`
  const credentials = credentialsFor(name)

  async function send(id: string, query: string, body: Body, headers: Record<string, string>) {
    const target = isRisky(route) && needed.has(Number(id)) ? '0' : id
    const path = route.pattern.replace(/\{\w+\*?\}/, target)
    const hasBody = route.method === 'POST' || route.method === 'PUT'
    return server.call(`${route.method} ${path}?${query}`, {
      ...credentials,
      headers: { ...headers, ...(hasBody && { 'content-type': body.type }) },
      ...(hasBody && { body: body.bytes }),
    })
  }

  t.test(`[API11] ${name} answers whatever comes`, async (t) => {
    await fc.assert(
      fc.asyncProperty(anyId, anyFields, anyBody, anyHeaders, async (id, query, body, headers) => {
        const answer = await send(id, formOf(query), body, headers)
        if (answer.status < 400 || route.method === 'HEAD') return
        // A refused origin: the one error without a body.
        if (answer.status === 403 && answer.text === '') return
        t.ok(isGotifyError(answer), `${answer.status} ${answer.text}`)
        t.ok(answer.status < 500 || answer.text.includes(NOT_MULTIPART), answer.text)
      }),
      { numRuns: 30 },
    )
  })
}

t.test('[API11] The server goes on', async (t) => {
  t.match(await server.call('GET /health'), { status: 200, json: { database: 'green' } })
  t.equal((await server.call('GET /current/user', { basic: user.basic })).status, 200)
})
