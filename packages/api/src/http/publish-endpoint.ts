/**
 * POST /message, stages 1 and 2 of the flow: takes the request from the socket, finds out who sends
 * it and hands it to the user's shard as bytes. Gateway thread. What the body says is the shard's
 * business; the usual publish (a token seen before, a body in one piece) is passed on without a
 * copy and without a promise.
 */
import { monotonicMs, PushError, type BodyKind, type Principal } from '@bellwire/common'
import type * as uws from 'uWebSockets.js'
import { type BasicCredentials, readCredentials } from '../auth/credentials.ts'
import { crossSiteRefusal } from '../auth/cross-site.ts'
import type { TokenPrincipal } from '../auth/token-cache.ts'
import type { ShardRouter } from '../shards/shard-router.ts'
import { BodyBudget, type BodyOwner } from './body.ts'
import { type CorsPolicy, decideOrigin, originRefusal } from './cors.ts'
import { closing, listsClose } from './header-source.ts'
import { framingIsAmbiguous, refuseAmbiguous } from './framing.ts'
import { OpenExchanges } from './open-exchanges.ts'
import { readPublishBody } from './publish-body.ts'
import { PublishHead } from './publish-head.ts'
import { PublishExchange, type PublishListener } from './publish-exchange.ts'

/** The part of the authenticator that the hot paths use. */
export interface TokenGate {
  /** Undefined: must be looked up. Null: known to be wrong. */
  cachedToken(token: string): TokenPrincipal | null | undefined
  byToken(token: string): Promise<TokenPrincipal | null>
  byPassword(name: string, password: string, remoteAddress: string): Promise<Principal | null>
  /** Notes the use of a token; true: a cookie that it came in is to be set again. */
  touch(principal: TokenPrincipal): boolean
  cookieRefresh(token: string): readonly [string, string]
}

export interface PublishOptions {
  readonly gate: TokenGate
  readonly cors: CorsPolicy
  readonly router: ShardRouter
  readonly maxBodyBytes: number
  readonly remoteAddress: (res: uws.HttpResponse, req: uws.HttpRequest) => string
  readonly onAnswer: PublishListener
}

/** Gotify's words for a request without valid credentials. */
export const UNAUTHENTICATED =
  'you need to provide a valid access token or user credentials to access this api'

/** Bytes that all publish bodies which come in pieces may hold together. */
const BODY_BUDGET_BYTES = 256 * 1024 * 1024
/** Of these for one user, so that one token cannot keep everybody out; as much for tokens that must be looked up. */
const BODY_SHARE_BYTES = BODY_BUDGET_BYTES / 4
const NO_NAME = new Uint8Array(0)

/** What is kept of the request: uWebSockets.js' own is gone after the handler. */
interface PublishRequest {
  readonly bodyKind: BodyKind
  readonly contentType: string
  readonly query: string
  readonly idempotencyKey: string
  readonly receivedAt: number
}

/** A publish on its way to the shard. */
interface Submission {
  readonly exchange: PublishExchange
  readonly request: PublishRequest
  /** The token, if it came in a cookie; else ''. */
  readonly cookie: string
}

export class PublishEndpoint {
  readonly #options: PublishOptions
  readonly #budget = new BodyBudget(BODY_BUDGET_BYTES, BODY_SHARE_BYTES)
  readonly #open = new OpenExchanges<PublishExchange>()

  constructor(options: PublishOptions) {
    this.#options = options
  }

  /** Resolves when every publish is answered (503 or 408 what takes longer than 5 s); later ones are refused. */
  finish(): Promise<void> {
    return this.#open.finish()
  }

  /** From now on answers end their connections: in a cluster the next publish goes to another process. */
  leave(): void {
    this.#open.leave()
  }

  handle(res: uws.HttpResponse, req: uws.HttpRequest): void {
    const { cors, gate, maxBodyBytes, onAnswer } = this.#options
    const head = new PublishHead(req)
    const origin = decideOrigin(head, cors)
    const exchange = new PublishExchange(res, origin.headers, onAnswer, this.#open)
    const connection = head.getHeader('connection')
    for (const header of closing(connection)) exchange.addHeader(header)
    exchange.closeAfter = listsClose(connection)
    if (this.#open.ending) {
      exchange.fail(new PushError('SHUTTING_DOWN', 'the server is shutting down'), true)
      return
    }
    if (!origin.allowed) {
      exchange.respond(originRefusal)
      return
    }
    if (framingIsAmbiguous(head)) {
      refuseAmbiguous((error) => exchange.fail(error, true))
      return
    }
    const credentials = readCredentials(head)
    const refused = crossSiteRefusal(head, 'POST', credentials)
    if (refused !== null) {
      exchange.fail(refused, true)
      return
    }
    const request = readRequest(head)
    const announced = head.announcedBytes
    const { token, basic, source } = credentials
    const submission = { exchange, request, cookie: source === 'cookie' ? token : '' }
    const known = token === '' ? null : gate.cachedToken(token)
    const principal =
      known ??
      this.#lookUp(known === undefined ? token : '', basic, () =>
        this.#options.remoteAddress(res, req),
      )
    if (principal === null) {
      exchange.fail(new PushError('UNAUTHENTICATED', UNAUTHENTICATED), announced !== 0)
      return
    }
    const owner: BodyOwner = principal instanceof Promise ? 0 : principal.userId
    const bounds = { maxBytes: maxBodyBytes, budget: this.#budget, owner }
    exchange.dropBody = readPublishBody(res, announced, bounds, {
      whole: (body, inPlace) => {
        exchange.stage = 'looking-up'
        if (principal instanceof Promise) {
          const kept = inPlace ? Uint8Array.from(body) : body
          void this.#submitLater(submission, principal, kept)
        } else {
          this.#submit(submission, principal, body)
        }
      },
      failed: (error) => exchange.fail(error, true),
    })
    if (principal instanceof Promise) {
      // Whoever is refused need not send the rest of the body.
      principal.then(
        (found) => {
          if (found !== null) return
          exchange.fail(new PushError('UNAUTHENTICATED', UNAUTHENTICATED), announced !== 0)
        },
        (error: unknown) => exchange.fail(asPushError(error), announced !== 0),
      )
    }
  }

  /** Token first, then name and password, as Gotify does on this endpoint. */
  #lookUp(
    token: string,
    basic: BasicCredentials | null,
    remoteAddress: () => string,
  ): Promise<Principal | null> | null {
    const { gate } = this.#options
    if (token === '' && basic === null) return null
    const address = basic === null ? '' : remoteAddress()
    const byToken = token === '' ? Promise.resolve(null) : gate.byToken(token)
    if (basic === null) return byToken
    return byToken.then((found) => found ?? gate.byPassword(basic.name, basic.password, address))
  }

  async #submitLater(
    submission: Submission,
    principal: Promise<Principal | null>,
    body: Uint8Array,
  ): Promise<void> {
    try {
      const found = await principal
      if (found !== null) this.#submit(submission, found, body)
    } catch (error) {
      submission.exchange.fail(asPushError(error), false)
    }
  }

  #submit({ exchange, request, cookie }: Submission, principal: Principal, body: Uint8Array): void {
    if (!exchange.open) return
    const { gate, router } = this.#options
    if (principal.kind !== 'user' && gate.touch(principal) && cookie !== '') {
      exchange.addHeader(gate.cookieRefresh(cookie))
    }
    const application = principal.kind === 'application' ? principal : null
    const refused = router.publish(
      {
        // Name by name: a spread goes through V8's slow path for each field, and took 7 % of this
        // thread.
        bodyKind: request.bodyKind,
        contentType: request.contentType,
        query: request.query,
        idempotencyKey: request.idempotencyKey,
        receivedAt: request.receivedAt,
        userId: principal.userId,
        applicationId: application?.applicationId ?? 0,
        applicationName: application === null ? NO_NAME : Buffer.from(application.name),
        defaultPriority: application?.defaultPriority ?? 0,
        body: request.bodyKind === 'query' ? NO_NAME : body,
      },
      exchange,
    )
    if (refused === null) exchange.stage = 'submitted'
    else exchange.failed(refused)
  }
}

function readRequest(head: PublishHead): PublishRequest {
  const contentType = head.getHeader('content-type')
  const bodyKind = bodyKindOf(contentType)
  return {
    bodyKind,
    contentType: bodyKind === 'multipart' ? contentType : '',
    query: head.getQuery(),
    idempotencyKey: head.getHeader('idempotency-key'),
    receivedAt: monotonicMs(),
  }
}

/**
 * Gin decides by the exact type (so APPLICATION/JSON is no JSON), net/http reads a form whatever
 * its case, and any other body is not looked at.
 */
function bodyKindOf(contentType: string): BodyKind {
  const end = contentType.search(/[; ]/)
  const type = end === -1 ? contentType : contentType.slice(0, end)
  if (type === 'application/json') return 'json'
  if (type === 'multipart/form-data') return 'multipart'
  return type.toLowerCase() === 'application/x-www-form-urlencoded' ? 'form' : 'query'
}

function asPushError(error: unknown): PushError {
  return error instanceof PushError ? error : new PushError('INTERNAL', 'unexpected error')
}
