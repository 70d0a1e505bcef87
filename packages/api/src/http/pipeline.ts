/**
 * The stages of a request to any endpoint but the two fast ones: path, origin, credentials,
 * body, handler, answer. Gateway thread. The first two run before the handler of
 * uWebSockets.js returns; from the credentials on the request is a copy.
 */
import { type Clock, PushError } from '@bellwire/common'
import type { Logger } from 'pino'
import type * as uws from 'uWebSockets.js'
import type { Authentication } from '../auth/authentication.ts'
import { type BodyBudget, BodyReader } from './body.ts'
import type { TrustedProxies } from './client-address.ts'
import { type CorsPolicy, refusal } from './cors.ts'
import { Exchange } from './exchange.ts'
import { announcedBytes } from './framing.ts'
import { closing, listsClose } from './header-source.ts'
import type { OpenExchanges } from './open-exchanges.ts'
import { copyRequest } from './request.ts'
import { pageNotFound } from './response.ts'
import type { RouteMatch, Router } from './router.ts'
import { trailingSlashRedirect } from './trailing-slash.ts'
import type { AuthMode, HttpRequest, HttpResponse, ManagedContext } from './types.ts'

const DEFAULT_MAX_BODY_BYTES = 1024 * 1024

/** Proves who sends a request; the Authenticator is one. */
export interface Gatekeeper {
  /** @throws {PushError} UNAUTHENTICATED, FORBIDDEN, and what the look-up may throw */
  authenticate(request: HttpRequest, mode: AuthMode): Promise<Authentication>
}

export interface PipelineOptions {
  readonly router: Router
  readonly gatekeeper: Gatekeeper
  readonly cors: CorsPolicy
  readonly proxies: TrustedProxies
  readonly exchanges: OpenExchanges<Exchange>
  readonly bodies: BodyBudget
  readonly log: Logger
  readonly clock: Clock
  readonly secure: boolean
  /** Endpoints beside the router, for redirects to them. */
  readonly isKnown: (method: string, path: string) => boolean
}

/** How the server treats a connection at the moment. */
export interface Admission {
  /** Refuse the request and end its connection. */
  readonly full: boolean
  /** End the connection after the answer. */
  readonly draining: boolean
  /** Refuse the request: the process ends. */
  readonly ending: boolean
}

export class Pipeline {
  readonly #options: PipelineOptions

  constructor(options: PipelineOptions) {
    this.#options = options
  }

  /** @param path normalized, null if it cannot be read */
  accept(
    res: uws.HttpResponse,
    req: uws.HttpRequest,
    path: string | null,
    admission: Admission,
  ): void {
    const { exchanges, clock, cors } = this.#options
    const method = req.getCaseSensitiveMethod()
    const exchange = new Exchange(res, {
      head: method === 'HEAD',
      startedAt: clock.now(),
      onEnd: (ended) => exchanges.delete(ended),
    })
    exchanges.add(exchange)
    const connection = req.getHeader('connection')
    exchange.closeAfter = admission.draining || listsClose(connection)
    exchange.extraHeaders = closing(connection)
    if (admission.full) {
      exchange.fail(new PushError('OVERLOADED', 'too many connections, try again'), true)
      return
    }
    if (admission.ending) {
      exchange.fail(new PushError('SHUTTING_DOWN', 'the server is shutting down'))
      return
    }
    if (path === null) {
      exchange.fail(new PushError('BAD_REQUEST', 'the path is not valid'))
      return
    }
    const match = this.#options.router.find(method, path)
    const redirect = match === null ? this.#redirect(req, method, path) : null
    if (redirect !== null) {
      exchange.respond(redirect)
      return
    }
    if (match?.route.outsideApi !== true) {
      const origin = req.getHeader('origin')
      const host = req.getHeader('host')
      if (method === 'OPTIONS') {
        exchange.respond(cors.options(origin, host))
        return
      }
      const decision = cors.decide(origin, host)
      if (!decision.allowed) {
        exchange.respond(refusal(decision))
        return
      }
      exchange.extraHeaders = [...exchange.extraHeaders, ...decision.headers]
    }
    if (match === null) {
      exchange.fail(pageNotFound())
      return
    }
    this.#admit(exchange, copyRequest(res, req, { ...this.#options, method, path }), match, res)
  }

  #admit(exchange: Exchange, request: HttpRequest, match: RouteMatch, res: uws.HttpResponse): void {
    const maxBytes = match.route.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES
    const announced = announcedBytes(request.headers)
    const body = new BodyReader(res, this.#options.bodies, maxBytes, announced)
    exchange.body = body
    this.#answer(exchange, request, match, body).catch((error: unknown) => {
      this.#options.log.fatal({ err: error }, 'An answer could not be written')
    })
  }

  async #answer(
    exchange: Exchange,
    request: HttpRequest,
    match: RouteMatch,
    body: BodyReader,
  ): Promise<void> {
    try {
      const { principal, headers } = await this.#options.gatekeeper.authenticate(
        request,
        match.route.auth,
      )
      exchange.extraHeaders = [...exchange.extraHeaders, ...headers]
      const context = { request, params: match.params, body: await body.read(), principal }
      // Whoever gave up while the body came in must not change anything.
      if (!exchange.open) return
      exchange.respond(await handle(match, context))
    } catch (error) {
      if (!exchange.open) return
      if (error instanceof PushError) {
        exchange.fail(error)
        return
      }
      const { method, pattern } = match.route
      this.#options.log.error({ err: error, method, pattern }, 'A request failed')
      exchange.fail(new PushError('INTERNAL', 'internal error'))
    }
  }

  #redirect(req: uws.HttpRequest, method: string, path: string): HttpResponse | null {
    const { router, isKnown } = this.#options
    if (isKnown(method, path)) return null
    return trailingSlashRedirect(
      method,
      path,
      req.getQuery(),
      (other) => isKnown(method, other) || router.find(method, other) !== null,
    )
  }
}

type AnyContext = Omit<ManagedContext, 'principal'> & Pick<Authentication, 'principal'>

function handle(match: RouteMatch, context: AnyContext): Promise<HttpResponse> | HttpResponse {
  const { route } = match
  if (route.auth === 'none' || route.auth === 'optional') return route.handle(context)
  const { principal } = context
  if (principal === null || principal.kind === 'application') {
    throw new TypeError(`Route ${route.method} ${route.pattern} was reached without a user`)
  }
  return route.handle({ ...context, principal })
}
