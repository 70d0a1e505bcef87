/**
 * GET /stream: from the upgrade request to an open connection and to its end. Main thread. The
 * order is the promise: the shard registers the connection first, then the 101 goes out, so every
 * message committed after the 101 is delivered.
 */
import { PushError, type ClientId, type Principal, type UserId } from '@bellwire/common'
import type * as uws from 'uWebSockets.js'
import { readCredentials } from '../auth/credentials.ts'
import { type CorsPolicy, decideOrigin, type HeaderList, originRefusal } from '../http/cors.ts'
import { closing, queryValue } from '../http/header-source.ts'
import { UNAUTHENTICATED, type TokenGate } from '../http/publish-endpoint.ts'
import { errorResponse, respond, respondError } from '../http/response.ts'
import type { ShardRouter } from '../shards/shard-router.ts'
import { Connection } from './connection.ts'
import type { Connections } from './connections.ts'
import { foreignOrigin, handshakeProblem, notWebSocket, readAfter } from './handshake.ts'
import type { Openings } from './opening.ts'
import type { StreamEvents } from './stream-events.ts'
import { originMayStream } from './stream-origin.ts'

export interface StreamOptions {
  readonly gate: TokenGate
  readonly cors: CorsPolicy
  readonly allowedOrigins: readonly RegExp[]
  readonly router: ShardRouter
  readonly openings: Openings
  readonly connections: Connections
  readonly events: StreamEvents
  readonly pingPeriodSeconds: number
  readonly readBufferSize: number
  readonly remoteAddress: (res: uws.HttpResponse, req: uws.HttpRequest) => string
}

/** What uWebSockets.js keeps for each socket. */
export interface StreamSocket {
  connection: Connection | null
  identity: Omit<ConstructorParameters<typeof Connection>[1], 'cursor'>
  cursor: number
  behind: boolean
  readonly wantsEvents: boolean
}

/** What is kept of an upgrade request; uWebSockets.js' own is gone after the handler. */
interface Upgrade {
  readonly res: uws.HttpResponse
  readonly context: uws.us_socket_context_t
  readonly key: string
  readonly headers: HeaderList
  readonly endsWithoutFrame: boolean
  readonly wantsEvents: boolean
  /** Takes back what was asked of the shard; null while nothing was. */
  takeBack: (() => void) | null
}

const MESSAGE_TOO_BIG = 1009
/** Beyond the ping period, as in Gotify: a socket that answers no ping ends after it. */
const PONG_GRACE_SECONDS = 15
/** uWebSockets.js looks for silent sockets so often, and ends them up to as much too early. */
const SWEEP_SECONDS = 4
/** Values of `?events=` that ask for more than messages. */
const EVENTS_WANTED: ReadonlySet<string> = new Set(['1', 'true'])

export class StreamEndpoint {
  readonly #options: StreamOptions
  readonly behavior: uws.WebSocketBehavior<StreamSocket>
  /** Its one element: the socket of the upgrade that is being answered. */
  readonly #opened: [uws.WebSocket<StreamSocket> | null] = [null]
  /** Requests that wait for their look-up or their shard; whoever takes one out answers it. */
  readonly #waiting = new Set<Upgrade>()
  #ending = false

  constructor(options: StreamOptions) {
    this.#options = options
    const { connections, events, pingPeriodSeconds, readBufferSize } = options
    this.behavior = {
      compression: 0,
      // Above this uWebSockets.js cuts the connection; between the two the client is told why.
      maxPayloadLength: 2 * readBufferSize,
      // uWebSockets.js takes 8 to 960; it ends a socket that was silent so long.
      idleTimeout: Math.min(960, pingPeriodSeconds + PONG_GRACE_SECONDS + SWEEP_SECONDS),
      // Pings are ours (Connections.pingDue), so that periods below 8 s work.
      sendPingsAutomatically: false,
      // No limit here: what a connection may hold is bounded by Connection, which loses nothing.
      maxBackpressure: 0,
      upgrade: (res, req, context) => this.#upgrade(res, req, context),
      // No function of ours, for the reason that stands at #accept.
      open: Reflect.set.bind(null, this.#opened, 0) as (ws: uws.WebSocket<StreamSocket>) => void,
      message: (ws, message) => {
        if (message.byteLength <= readBufferSize) return
        ws.getUserData().connection?.end(MESSAGE_TOO_BIG, 'message too big')
      },
      drain: (ws) => ws.getUserData().connection?.drained(connections),
      close: (ws) => {
        const { connection, identity, wantsEvents } = ws.getUserData()
        if (connection === null) {
          // It ended in its upgrade.
          this.#opened[0] = null
          const { number, userId } = identity
          options.router.send({ kind: 'unsubscribe', connection: number, userId })
          return
        }
        connections.remove(connection)
        if (wantsEvents) events.remove(connection)
      },
    }
  }

  /** A GET /stream that asks for no upgrade: Gotify looks at the credentials first. */
  refusePlain(res: uws.HttpResponse, req: uws.HttpRequest): void {
    const upgrade = this.#admit(res, req, null)
    if (upgrade === null) return
    void this.#authenticate(res, req).then(
      () => this.#refuse(upgrade, notWebSocket()),
      (error: unknown) => this.#refuse(upgrade, asPushError(error)),
    )
  }

  /** Refuses what waits and whatever comes from now on: no stream is opened any more. */
  refuseAll(): void {
    this.#ending = true
    for (const upgrade of this.#waiting) {
      upgrade.takeBack?.()
      this.#refuse(upgrade, shuttingDown())
    }
  }

  #upgrade(res: uws.HttpResponse, req: uws.HttpRequest, context: uws.us_socket_context_t): void {
    const upgrade = this.#admit(res, req, context)
    if (upgrade === null) return
    const problem = handshakeProblem(req)
    const after = readAfter(req.getQuery())
    void this.#authenticate(res, req).then(
      (principal) => {
        if (!this.#waiting.has(upgrade)) return
        if (problem !== null) this.#refuse(upgrade, problem)
        else this.#register(upgrade, principal, after)
      },
      (error: unknown) => this.#refuse(upgrade, asPushError(error)),
    )
  }

  /** Looks at the origin and registers for the abort. Null: it was answered. */
  #admit(
    res: uws.HttpResponse,
    req: uws.HttpRequest,
    context: uws.us_socket_context_t | null,
  ): Upgrade | null {
    const { cors, allowedOrigins } = this.#options
    const origin = decideOrigin(req, cors)
    const headers = [...origin.headers, ...closing(req.getHeader('connection'))]
    if (this.#ending) {
      respondError(res, shuttingDown(), headers, { close: true })
      return null
    }
    if (!origin.allowed) {
      respond(res, originRefusal, headers, { close: true })
      return null
    }
    if (!originMayStream(req, allowedOrigins)) {
      respond(res, foreignOrigin(), headers, { close: true })
      return null
    }
    const upgrade: Upgrade = {
      res,
      context: context ?? {},
      key: req.getHeader('sec-websocket-key'),
      headers,
      endsWithoutFrame: req.getHeader('user-agent').toLowerCase().includes('okhttp'),
      wantsEvents: EVENTS_WANTED.has(queryValue(req.getQuery(), 'events')),
      takeBack: null,
    }
    this.#waiting.add(upgrade)
    res.onAborted(() => {
      this.#waiting.delete(upgrade)
      upgrade.takeBack?.()
    })
    return upgrade
  }

  /** Name and password first, then a client's token. @throws {PushError} UNAUTHENTICATED and what look-ups throw */
  async #authenticate(res: uws.HttpResponse, req: uws.HttpRequest): Promise<Principal> {
    const { gate, remoteAddress } = this.#options
    // All of the request is read before the first await.
    const { token, basic } = readCredentials(req)
    const address = basic === null ? '' : remoteAddress(res, req)
    const byName = basic && (await gate.byPassword(basic.name, basic.password, address))
    if (byName !== null) return byName
    const cached = token === '' ? null : gate.cachedToken(token)
    const found = cached === undefined ? await gate.byToken(token) : cached
    if (found === null || found.kind === 'application') {
      throw new PushError('UNAUTHENTICATED', UNAUTHENTICATED)
    }
    gate.touch(found)
    return found
  }

  #register(upgrade: Upgrade, principal: Principal, after: number | null | PushError): void {
    if (after instanceof PushError) {
      this.#refuse(upgrade, after)
      return
    }
    const { openings, connections, router } = this.#options
    const { userId } = principal
    const clientId: ClientId | 0 = principal.kind === 'client' ? principal.clientId : 0
    const number = openings.add(
      {
        userId,
        registered: ({ cursor, behind }) => {
          const { endsWithoutFrame, wantsEvents } = upgrade
          const identity = { number, userId, clientId, endsWithoutFrame }
          this.#accept(upgrade, { connection: null, identity, cursor, behind, wantsEvents })
        },
        refused: (error) => this.#refuse(upgrade, error),
      },
      (taken) => connections.has(taken),
    )
    upgrade.takeBack = () => {
      if (openings.drop(number)) router.send({ kind: 'unsubscribe', connection: number, userId })
    }
    this.#subscribe(number, userId, clientId, after)
  }

  #subscribe(
    connection: Connection['number'],
    userId: UserId,
    clientId: ClientId | 0,
    after: number | null,
  ): void {
    const { router } = this.#options
    router.send({ kind: 'subscribe', connection, userId, clientId, after, resume: false })
  }

  /**
   * When cork() ends after an upgrade, uWebSockets.js reads the state of the HTTP response from
   * memory that the upgrade has given back, and closes the socket if somebody wrote there since
   * (uWebSockets#1929). V8 does when it compiles, and it may compile whenever a function of ours
   * starts or returns. So nothing but builtins of C++ runs from the upgrade to the end of the cork.
   */
  #accept(upgrade: Upgrade, socket: StreamSocket): void {
    const { res, key, context, headers } = upgrade
    this.#waiting.delete(upgrade)
    if (headers.length > 0) {
      res.cork(() => {
        res.writeStatus('101 Switching Protocols')
        for (const [name, value] of headers) res.writeHeader(name, value)
      })
    }
    // No subprotocol and no extension is ever agreed on: some clients offer what they cannot read.
    res.cork(res.upgrade.bind(res, socket, key, '', '', context))
    this.#start()
  }

  #start(): void {
    const [ws] = this.#opened
    this.#opened[0] = null
    if (ws === null) return
    const { connections, events } = this.#options
    const { identity, cursor, behind, wantsEvents } = ws.getUserData()
    const connection = new Connection(ws, { ...identity, cursor })
    ws.getUserData().connection = connection
    connections.add(connection, behind)
    if (wantsEvents) events.add(connection)
  }

  #refuse(upgrade: Upgrade, error: PushError): void {
    if (!this.#waiting.delete(upgrade)) return
    if (error.httpStatus === 400) {
      const version: HeaderList = [['sec-websocket-version', '13']]
      respond(upgrade.res, errorResponse(error), [...upgrade.headers, ...version], { close: true })
    } else {
      respondError(upgrade.res, error, upgrade.headers, { close: true })
    }
  }
}

function shuttingDown(): PushError {
  return new PushError('SHUTTING_DOWN', 'the server is shutting down')
}

function asPushError(error: unknown): PushError {
  return error instanceof PushError ? error : new PushError('INTERNAL', 'unexpected error')
}
