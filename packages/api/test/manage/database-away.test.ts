import type { ClientId, UserId } from '@bellwire/common'
import t from 'tap'
import type { HttpRequest, ManagedContext, Route, RouteContext } from '../../src/http/types.ts'
import { startTestPostgres } from '../support/postgres.ts'
import { startManagementServer } from './management-server.ts'

const server = await startManagementServer(t, { connection: await startTestPostgres(t) })
const { basic } = await server.newUser()

/** Handlers that ask nothing of the database. */
const WITHOUT_DATABASE = new Set([
  'GET /version',
  'GET /gotifyinfo',
  'GET /current/user',
  'GET /image/{name*}',
  'HEAD /image/{name*}',
])

function contextFor(route: Route): ManagedContext {
  const request: HttpRequest = {
    method: route.method,
    path: route.pattern,
    query: 'name=n&pass=p&durationSeconds=1',
    headers: new Map([['authorization', `Basic ${Buffer.from(basic).toString('base64')}`]]),
    remoteAddress: '127.0.0.1',
    secure: false,
  }
  const principal = {
    kind: 'client',
    clientId: 1 as ClientId,
    elevatedUntil: Infinity,
    expiresAt: null,
    userId: 1 as UserId,
    userName: 'admin',
    admin: true,
    userCreatedAt: 0,
  } as const
  return { request, params: { id: '1', name: 'x.png' }, body: Buffer.alloc(0), principal }
}

function handle(route: Route) {
  const context: RouteContext & ManagedContext = contextFor(route)
  return route.handle(context)
}

t.test('[API29] While the database is away every handler says so, and health is red', async (t) => {
  await server.db.destroy()
  for (const route of server.routes) {
    const name = `${route.method} ${route.pattern}`
    if (WITHOUT_DATABASE.has(name) || route.pattern.startsWith('/plugin')) continue
    if (route.pattern === '/health') {
      t.match(await handle(route), {
        status: 500,
        body: '{"health":"orange","database":"red"}',
      })
      continue
    }
    await t.rejects(async () => handle(route), { code: 'DATABASE_UNAVAILABLE' }, name)
  }
})

t.test('[AUTH14] A request is answered 503 with Retry-After, not 401 or 404', async (t) => {
  const answer = await server.call('GET /message', { token: 'unknown' })
  t.match(answer, { status: 503, json: { error: 'Service Unavailable', errorCode: 503 } })
  t.ok(Number(answer.headers.get('retry-after')) > 0)
})
