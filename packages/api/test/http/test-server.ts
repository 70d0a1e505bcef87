/** The HTTP server on a free port with a few endpoints, and a gatekeeper that tests steer by header. */
import {
  type ApplicationId,
  type ClientId,
  type Clock,
  type Principal,
  PushError,
  type UserId,
} from '@bellwire/common'
import { type ServerConfig } from '@bellwire/common/config'
import { pino } from 'pino'
import type { Test } from 'tap'
import { authorize } from '../../src/auth/authorize.ts'
import { CorsPolicy } from '../../src/http/cors.ts'
import type { Gatekeeper } from '../../src/http/pipeline.ts'
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../src/http/server.ts'
import type { Route } from '../../src/http/types.ts'

export interface RunningServer {
  readonly server: HttpServer
  readonly port: number
  readonly base: string
  /** What the log got at error and above. */
  readonly errors: readonly string[]
  advance(milliseconds: number): void
}

export interface TestServerOptions extends Partial<HttpServerOptions<unknown>> {
  readonly corsConfig?: Partial<ServerConfig['cors']>
  readonly responseHeaders?: Readonly<Record<string, string>>
}

const CLIENT: Principal = {
  kind: 'client',
  userId: 1 as UserId,
  userName: 'user',
  admin: false,
  userCreatedAt: 0,
  clientId: 1 as ClientId,
  elevatedUntil: null,
  expiresAt: null,
}

const APPLICATION: Principal = {
  kind: 'application',
  userId: 1 as UserId,
  applicationId: 1 as ApplicationId,
  name: 'application',
  defaultPriority: 0,
}

/** Takes the tokens `client` and `application`; `slow` is a client after a while. */
const gatekeeper: Gatekeeper = {
  async authenticate(request, mode) {
    const token = request.headers.get('x-gotify-key')
    if (token === 'away') throw new PushError('DATABASE_UNAVAILABLE', 'away')
    if (token === 'slow') await new Promise((resolve) => setTimeout(resolve, 200))
    const principal = token === 'application' ? APPLICATION : token === undefined ? null : CLIENT
    authorize(principal, mode, Date.now())
    return { principal, headers: token === 'cookie' ? [['set-cookie', 'a=b']] : [] }
  },
}

export const JSON_TYPE = ['content-type', 'application/json'] as const

const routes: readonly Route[] = [
  text('GET', '/version', 'version'),
  { ...text('GET', '/health', 'healthy'), outsideApi: true },
  { ...text('HEAD', '/health', 'healthy'), outsideApi: true },
  { ...text('GET', '/image/{name*}', 'image'), outsideApi: true },
  {
    method: 'POST',
    pattern: '/echo',
    auth: 'none',
    handle: ({ body }) => ({ status: 200, body }),
  },
  {
    method: 'POST',
    pattern: '/upload',
    auth: 'client',
    maxBodyBytes: 4 * 1024 * 1024,
    handle: ({ body }) => ({ status: 200, body: String(body.length) }),
  },
  {
    method: 'GET',
    pattern: '/thing/{id}/{name}',
    auth: 'none',
    handle: ({ params }) => ({ status: 200, headers: [JSON_TYPE], body: JSON.stringify(params) }),
  },
  {
    method: 'GET',
    pattern: '/request',
    auth: 'none',
    handle: ({ request }) => ({
      status: 200,
      body: JSON.stringify({ ...request, headers: [...request.headers] }),
    }),
  },
  {
    method: 'DELETE',
    pattern: '/nothing',
    auth: 'client',
    handle: () => ({ status: 204 }),
  },
  {
    method: 'GET',
    pattern: '/broken',
    auth: 'none',
    handle: () => {
      throw new Error('a secret of the inside')
    },
  },
  {
    method: 'GET',
    pattern: '/hangs',
    auth: 'none',
    handle: () => new Promise(() => undefined),
  },
  {
    method: 'GET',
    pattern: '/big',
    auth: 'none',
    handle: () => ({ status: 200, body: Buffer.alloc(20_000_000, 'x') }),
  },
]

export async function startTestServer(
  t: Test,
  options: TestServerOptions = {},
): Promise<RunningServer> {
  const errors: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => errors.push(line) })
  let offset = 0
  const clock: Clock = { now: () => Date.now() + offset }
  const { corsConfig, responseHeaders, ...serverOptions } = options
  const cors = new CorsPolicy({
    cors: { allowOrigins: [], allowMethods: [], allowHeaders: [], ...corsConfig },
    responseHeaders: responseHeaders ?? {},
  })
  const server = createHttpServer<unknown>({
    ...{ address: '127.0.0.1', port: 0, routes, authenticator: gatekeeper, cors, log, clock },
    ...serverOptions,
  })
  const { port } = await server.listen()
  t.teardown(() => server.close())
  const advance = (milliseconds: number): void => void (offset += milliseconds)
  return { server, port, base: `http://127.0.0.1:${port}`, errors, advance }
}

function text(method: string, pattern: string, body: string): Route {
  return { method, pattern, auth: 'none', handle: () => ({ status: 200, body }) }
}
