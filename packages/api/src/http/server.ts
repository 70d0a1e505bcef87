/**
 * The HTTP server: wires uWebSockets.js to the pipeline of management requests and, on the shortest
 * way, to publishing and the stream; starts and stops listening. Gateway thread, which owns every
 * socket.
 */
import { type Clock, systemClock } from '@bellwire/common'
import type { Logger } from 'pino'
import uWS, { type TemplatedApp } from 'uWebSockets.js'
import type * as uws from 'uWebSockets.js'
import { BodyBudget } from './body.ts'
import { TrustedProxies } from './client-address.ts'
import { ConnectionLimit } from './connection-limit.ts'
import type { CorsPolicy } from './cors.ts'
import { listen, type Listener } from './listener.ts'
import { OpenExchanges } from './open-exchanges.ts'
import { normalizePath } from './path.ts'
import { type Gatekeeper, Pipeline } from './pipeline.ts'
import { endAbruptly } from './response.ts'
import { Router } from './router.ts'
import { guardBehavior, STREAM_PATH, type StreamEndpoint } from './stream-route.ts'
import type { Route } from './types.ts'

const PUBLISH_PATH = '/message'
/** Bytes that the bodies of all management requests may hold together. */
const BODY_BUDGET_BYTES = 256 * 1024 * 1024

/** POST /message. */
export interface PublishEndpoint {
  /** Must register onAborted or answer before it returns. */
  handle(res: uws.HttpResponse, req: uws.HttpRequest): void
}

export interface HttpServerOptions<Connection> {
  /** Address or host name, '' for every address, or `unix:/path`. */
  readonly address: string
  /** 0 lets the system choose. */
  readonly port: number
  /** True when several processes share the port. */
  readonly sharedPort?: boolean
  /** Present: TLS with this certificate and key (PEM files). */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  readonly routes: readonly Route[]
  readonly authenticator: Gatekeeper
  readonly cors: CorsPolicy
  /** Addresses and CIDR ranges whose X-Forwarded-For counts. */
  readonly trustedProxies?: readonly string[]
  readonly log: Logger
  readonly clock?: Clock
  /** Default: what the limit of open files allows. */
  readonly maxConnections?: number
  readonly publish?: PublishEndpoint
  readonly stream?: StreamEndpoint<Connection>
}

export interface HttpServer {
  /** @throws {StartError} with one line that says why */
  listen(): Promise<{ readonly address: string; readonly port: number }>
  /** Takes no new connection; answers of the pipeline end their connections from now on. */
  stopAccepting(): Promise<void>
  /** Ends every connection. */
  close(): Promise<void>
  /** Requests that wait for their answer; those of the two raw endpoints are not counted. */
  readonly openRequests: number
  /** Open TCP connections, WebSockets among them. */
  readonly connections: number
}

export function createHttpServer<Connection = never>(
  options: HttpServerOptions<Connection>,
): HttpServer {
  return new Server(options)
}

class Server<Connection> implements HttpServer {
  readonly #options: HttpServerOptions<Connection>
  readonly #app: TemplatedApp
  readonly #limit: ConnectionLimit
  readonly #exchanges: OpenExchanges
  readonly #pipeline: Pipeline
  #listener: Listener | null = null
  #draining = false

  constructor(options: HttpServerOptions<Connection>) {
    const clock = options.clock ?? systemClock
    const { tls } = options
    this.#options = options
    this.#limit = new ConnectionLimit(options.maxConnections)
    this.#exchanges = new OpenExchanges(clock)
    this.#pipeline = new Pipeline({
      router: new Router(options.routes),
      gatekeeper: options.authenticator,
      cors: options.cors,
      proxies: new TrustedProxies(options.trustedProxies ?? []),
      exchanges: this.#exchanges,
      bodies: new BodyBudget(BODY_BUDGET_BYTES),
      log: options.log,
      clock,
      secure: tls !== undefined,
      isKnown: (method, path) => this.#rawEndpoint(method, path) !== null,
    })
    this.#app =
      tls === undefined
        ? uWS.App()
        : uWS.SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile })
    this.#attach()
  }

  async listen(): Promise<{ address: string; port: number }> {
    const { address, port, sharedPort } = this.#options
    this.#listener = await listen(this.#app, { address, port, shared: sharedPort ?? false })
    return { address: this.#listener.address, port: this.#listener.port }
  }

  async stopAccepting(): Promise<void> {
    this.#draining = true
    const listener = this.#listener
    this.#listener = null
    await listener?.close()
  }

  async close(): Promise<void> {
    await this.stopAccepting()
    this.#app.close()
    this.#exchanges.close()
  }

  get openRequests(): number {
    return this.#exchanges.size
  }

  get connections(): number {
    return this.#limit.open
  }

  #attach(): void {
    const { publish, stream, log } = this.#options
    this.#app.filter((res, change) => {
      if (Number(change) < 0) this.#limit.closed()
      else if (!this.#limit.opened()) res.close()
    })
    if (publish !== undefined) {
      this.#app.post(PUBLISH_PATH, (res, req) => this.#guard(res, () => publish.handle(res, req)))
    }
    if (stream !== undefined) {
      this.#app.ws('/*', guardBehavior(stream.behavior, this.#limit, log))
    }
    this.#app.any('/*', (res, req) => this.#guard(res, () => this.#onRequest(res, req)))
  }

  #onRequest(res: uws.HttpResponse, req: uws.HttpRequest): void {
    const path = normalizePath(req.getUrl())
    const raw = this.#rawEndpoint(req.getCaseSensitiveMethod(), path)
    if (raw !== null) {
      raw(res, req)
      return
    }
    this.#pipeline.accept(res, req, path, { full: this.#limit.full, draining: this.#draining })
  }

  /** The endpoints that read and write for themselves. */
  #rawEndpoint(method: string, path: string | null): PublishEndpoint['handle'] | null {
    const { publish, stream } = this.#options
    if (publish !== undefined && method === 'POST' && path === PUBLISH_PATH) {
      return (res, req) => publish.handle(res, req)
    }
    if (stream !== undefined && method === 'GET' && path === STREAM_PATH) {
      return (res, req) => stream.refusePlain(res, req)
    }
    return null
  }

  /** What a handler throws would end the process. */
  #guard(res: uws.HttpResponse, handle: () => void): void {
    try {
      handle()
    } catch (error) {
      this.#options.log.error({ err: error }, 'A request handler failed')
      endAbruptly(res)
    }
  }
}
