/**
 * Throws random paths, bodies, forms and headers at every endpoint: each request is answered, with
 * Gotify's error shape where it is refused, and never with a failure of the server.
 */
import fc from 'fast-check'
import t from 'tap'
import type { Route } from '../../src/http/types.ts'
import { startTestPostgres } from '../support/postgres.ts'
import {
  anyBody,
  anyFields,
  anyHeaders,
  anyText,
  type Body,
  formOf,
  isGotifyError,
} from './any-request.ts'
import { ADMIN, numberIn, startManagementServer, textIn } from './management-server.ts'

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

const anyId = fc.oneof(
  fc.constantFrom(...ids, '0', '-1', '+1', '007', '1.5', '18446744073709551615', 'a', '%00', '%ff'),
  fc.bigInt({ min: 0n, max: 2n ** 65n }).map(String),
  anyText.map((text) => encodeURIComponent(text.toWellFormed()) || '%20'),
)

/** What the next requests need must not be deleted, demoted or renamed by chance. */
function isRisky(route: Route): boolean {
  return (
    route.method === 'DELETE' || route.pattern === '/user/{id}' || route.pattern === '/client/{id}'
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
