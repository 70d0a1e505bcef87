/**
 * The HTTP server: wires uWebSockets.js to the pipeline of management requests and, on the shortest
 * way, to publishing and the stream; starts and stops listening. Gateway thread, which owns every
 * socket.
 */
import { type Clock, systemClock } from '@bellwire/common'
import type { Logger } from 'pino'
import type { TemplatedApp } from 'uWebSockets.js'
import type * as uws from 'uWebSockets.js'
import { BodyBudget } from './body.ts'
import { TrustedProxies } from './client-address.ts'
import { ConnectionLimit } from './connection-limit.ts'
import type { CorsPolicy } from './cors.ts'
import { framingIsAmbiguous, framingOf, refuseAmbiguous } from './framing.ts'
import { type Exchange, expireLate } from './exchange.ts'
import { firstLook, type Front } from './front.ts'
import { closing } from './header-source.ts'
import { listen, type Listener } from './listener.ts'
import { OpenExchanges } from './open-exchanges.ts'
import { normalizePath } from './path.ts'
import { type Gatekeeper, Pipeline } from './pipeline.ts'
import { endAbruptly, respond, respondError } from './response.ts'
import { Router } from './router.ts'
import { guardBehavior, STREAM_PATH, type StreamEndpoint } from './stream-route.ts'
import type { Route } from './types.ts'
import { uWS } from './uws.ts'

const PUBLISH_PATH = '/message'
/** Bytes that the bodies of all management requests may hold together. */
const BODY_BUDGET_BYTES = 256 * 1024 * 1024
/** How often late requests are looked for. */
const SWEEP_EVERY_MS = 1_000

/** POST /message. */
export interface PublishEndpoint {
  /** Must register onAborted or answer before it returns. */
  handle(res: uws.HttpResponse, req: uws.HttpRequest): void
}

/** PEM files; both may be the same one. */
export interface CertificateFiles {
  readonly certFile: string
  readonly keyFile: string
}

export interface HttpServerOptions<Connection> {
  /** Address or host name, '' for every address, or `unix:/path`. */
  readonly address: string
  /** 0 lets the system choose. */
  readonly port: number
  /** True when several processes share the port. */
  readonly sharedPort?: boolean
  /** Seconds of silence before TCP asks whether the other end is there. @default 0, never */
  readonly keepAliveSeconds?: number
  /** Present: TLS. */
  readonly tls?: CertificateFiles
  /** Asked before the routes; publishing and the stream are not its concern. */
  readonly front?: Front
  readonly routes: readonly Route[]
  readonly authenticator: Gatekeeper
  readonly cors: CorsPolicy
  /** Addresses and CIDR ranges whose X-Forwarded-For counts. */
  readonly trustedProxies?: readonly string[]
  readonly log: Logger
  readonly clock?: Clock
  /** Servers of one process share theirs. Default: what the limit of open files allows. */
  readonly limit?: ConnectionLimit
  readonly publish?: PublishEndpoint
  readonly stream?: StreamEndpoint<Connection>
}

export interface HttpServer {
  /** @throws {StartError} with one line that says why */
  listen(): Promise<{ readonly address: string; readonly port: number }>
  /** Takes no new connection; answers of the pipeline end their connections from now on. */
  stopAccepting(): Promise<void>
  /**
   * Resolves when everything accepted is answered (503 or 408 what takes longer than 5 s), and
   * refuses what comes from now on.
   */
  finish(): Promise<void>
  /** Finishes, and ends every connection. */
  close(): Promise<void>
  /**
   * Gives new connections the certificate that lies in the files now; open ones go on.
   * @throws if the files hold none, or the server doesn't listen; then nothing changes
   */
  renewCertificate(): Promise<void>
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
  #app: TemplatedApp
  /** Apps with an older certificate: they listen no more, their connections go on. */
  readonly #retired: TemplatedApp[] = []
  readonly #limit: ConnectionLimit
  readonly #exchanges = new OpenExchanges<Exchange>()
  readonly #sweep: NodeJS.Timeout
  readonly #pipeline: Pipeline
  #listener: Listener | null = null
  #draining = false

  constructor(options: HttpServerOptions<Connection>) {
    const clock = options.clock ?? systemClock
    this.#options = options
    this.#limit = options.limit ?? new ConnectionLimit()
    this.#sweep = setInterval(
      () => expireLate(this.#exchanges.all(), clock.now()),
      SWEEP_EVERY_MS,
    ).unref()
    this.#pipeline = new Pipeline({
      router: new Router(options.routes),
      gatekeeper: options.authenticator,
      cors: options.cors,
      proxies: new TrustedProxies(options.trustedProxies ?? []),
      exchanges: this.#exchanges,
      bodies: new BodyBudget(BODY_BUDGET_BYTES),
      log: options.log,
      clock,
      secure: options.tls !== undefined,
      isKnown: (method, path) => this.#rawEndpoint(method, path) !== null,
    })
    this.#app = this.#createApp()
  }

  async listen(): Promise<{ address: string; port: number }> {
    const { address, port, sharedPort: shared = false, keepAliveSeconds = 0 } = this.#options
    this.#listener = await listen(this.#app, { address, port, shared, keepAliveSeconds })
    return { address: this.#listener.address, port: this.#listener.port }
  }

  async renewCertificate(): Promise<void> {
    const listener = this.#listener
    if (listener === null) throw new TypeError('A server that does not listen renews nothing')
    // uWebSockets.js ties a certificate to an app for good.
    const app = this.#createApp()
    this.#listener = await listener.handOver(app)
    this.#retired.push(this.#app)
    this.#app = app
  }

  async stopAccepting(): Promise<void> {
    this.#draining = true
    const listener = this.#listener
    this.#listener = null
    await listener?.close()
  }

  finish(): Promise<void> {
    return this.#exchanges.finish()
  }

  async close(): Promise<void> {
    await this.stopAccepting()
    await this.finish()
    clearInterval(this.#sweep)
    for (const app of [this.#app, ...this.#retired]) app.close()
  }

  get openRequests(): number {
    return this.#exchanges.size
  }

  get connections(): number {
    return this.#limit.open
  }

  #createApp(): TemplatedApp {
    const { tls, publish, stream, log } = this.#options
    const app =
      tls === undefined
        ? uWS.App()
        : uWS.SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile })
    app.filter((res, change) => {
      if (Number(change) < 0) this.#limit.closed()
      else if (!this.#limit.opened()) res.close()
    })
    if (publish !== undefined) {
      app.post(PUBLISH_PATH, (res, req) => this.#guard(res, () => publish.handle(res, req)))
    }
    if (stream !== undefined) {
      app.ws('/*', guardBehavior(stream.behavior, this.#limit, log))
    }
    app.any('/*', (res, req) => this.#guard(res, () => this.#onRequest(res, req)))
    return app
  }

  #onRequest(res: uws.HttpResponse, req: uws.HttpRequest): void {
    if (framingIsAmbiguous(framingOf(req))) {
      const headers = closing(req.getHeader('connection'))
      let open = true
      res.onAborted(() => (open = false))
      refuseAmbiguous((error) => {
        if (open) respondError(res, error, headers, { close: true })
      })
      return
    }
    const answer = this.#options.front?.(firstLook(req)) ?? null
    if (answer !== null) {
      respond(res, answer, closing(req.getHeader('connection')), {
        head: req.getCaseSensitiveMethod() === 'HEAD',
        close: true,
      })
      return
    }
    const path = normalizePath(req.getUrl())
    const raw = this.#rawEndpoint(req.getCaseSensitiveMethod(), path)
    if (raw !== null) {
      raw(res, req)
      return
    }
    this.#pipeline.accept(res, req, path, {
      full: this.#limit.full,
      draining: this.#draining,
      ending: this.#exchanges.ending,
    })
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
