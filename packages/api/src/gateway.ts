/**
 * The composition root of one process: puts the stages together and starts them in the order of
 * the flow. Main thread. main.ts decides when; stop-gateway.ts has the way back.
 */
import { type Clock, type Logger, systemClock } from '@bellwire/common'
import type { Config } from '@bellwire/common/config'
import {
  createDatabase,
  createPool,
  type Database,
  type DatabaseConnection,
} from '@bellwire/common/db'
import { createArena, GatewayRing } from '@bellwire/common/ring'
import type { Kysely } from 'kysely'
import { Authenticator } from './auth/authenticate.ts'
import { PasswordHasher } from './auth/password-hasher.ts'
import { startBackground } from './background.ts'
import { Changes } from './changes.ts'
import { ChangeRelay } from './cluster/change-relay.ts'
import { startConnectionCheck } from './cluster/connection-check.ts'
import { healthRoutes } from './health/health-routes.ts'
import { type HealthQuestion, ownHealth } from './health/health.ts'
import { addressText, TrustedProxies } from './http/client-address.ts'
import { CorsPolicy } from './http/cors.ts'
import { PublishEndpoint, type PublishOptions } from './http/publish-endpoint.ts'
import type { Route } from './http/types.ts'
import { managementRoutes } from './manage/management-routes.ts'
import { MessageFlow } from './message-flow.ts'
import { metricsRoute } from './metrics-route.ts'
import { Metrics } from './metrics.ts'
import { ShardSupervisor } from './shards/shard-supervisor.ts'
import { type RunningGateway, stopGateway } from './stop-gateway.ts'
import { limitConnects } from './stream/connect-rate.ts'
import { StreamEndpoint } from './stream/stream-endpoint.ts'
import { StreamEvents } from './stream/stream-events.ts'
import { revokeOnChange } from './stream/revocation.ts'
import { createFrontDoors } from './tls/front-doors.ts'
import { VERSION } from './version.ts'
import { webRoutes } from './web/web-routes.ts'

/**
 * Bytes of one lane: room for a burst to one user while the worker is busy. A lane starts again at
 * its first page whenever it is empty, so only a burst makes the rest of it real memory.
 */
const LANE_BYTES = 262_144
/** Bytes of all lanes together; with many shards each gets less. */
const ARENA_BYTES = 536_870_912
const POOL_SIZE = 10

/** What GET /metrics, GET /health and GET /health/ready answer. */
interface Account {
  readonly metrics: { text(): Promise<string> }
  readonly health: HealthQuestion
}

/** The same of this process alone. */
export interface OwnAccount {
  readonly metrics: Metrics
  readonly health: HealthQuestion
}

export interface GatewayOptions {
  readonly config: Config
  /** Prepared: its tables are there (database/prepare-database.ts). */
  readonly connection: DatabaseConnection
  /** True where other processes write to the same database. */
  readonly shared: boolean
  /** Present in a member of a cluster: the port that all members listen on. */
  readonly sharedPort?: number
  /** Gives the account of all processes that share the port. @default it is alone */
  readonly forAll?: (own: OwnAccount) => Account
  readonly log: Logger
}

export interface Gateway {
  readonly address: string
  readonly port: number
  /** Ends after everything accepted was finished. */
  stop(): Promise<void>
  readonly supervisor: ShardSupervisor
}

/** What the stages of one process share. */
interface Base {
  readonly clock: Clock
  readonly db: Kysely<Database>
  readonly hasher: PasswordHasher
  readonly authenticator: Authenticator
  /** What the API changes, for everybody who must know. */
  readonly changes: Changes
}

/** The stages behind the endpoints. */
interface Shards {
  readonly ring: GatewayRing
  readonly metrics: Metrics
  readonly flow: MessageFlow
  readonly supervisor: ShardSupervisor
}

/** @throws {StartError} with one line that says why it cannot start. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, shared, log } = options
  const base = createBase(options)
  const shards = createShards(options)
  const { changes } = base
  const { flow, supervisor } = shards
  const events = new StreamEvents(config.server.stream)
  changes.listen((change) => base.authenticator.onChange(change))
  changes.listen(revokeOnChange(flow.router))
  changes.listen((change) => events.onChange(change))

  let draining = false
  const api = apiRoutes(options, base, shards, () => draining)
  const pumping = flow.pump.run()
  // Pages are read and packed on this thread while the workers load on theirs.
  const [web] = await Promise.all([webRoutes(api, config, VERSION), supervisor.start()])

  const doors = createDoors(options, base, shards, events, [...api, ...web])
  const background = startBackground({ ...base, config, flow, shared, log })
  const others = shared ? joinOthers(options, base, flow) : null
  const { address, port } = await doors.server.listen()

  return {
    address,
    port,
    supervisor,
    async stop() {
      draining = true
      const running = { ...base, ...shards, ...doors, pumping, background, others, log }
      await stopGateway(running, config.server.stream.drainSeconds)
    },
  }
}

function createBase({ config, connection, log }: GatewayOptions): Base {
  const clock = systemClock
  const pool = createPool(connection, {
    name: 'bellwire gateway',
    max: POOL_SIZE,
    onError: (error) => log.debug({ error: String(error) }, 'pool connection lost'),
  })
  const db = createDatabase(pool)
  const hasher = new PasswordHasher({ cost: config.passStrength })
  const { secureCookie } = config.server
  const authenticator = new Authenticator({ db, hasher, clock, log, secureCookie })
  return { clock, db, hasher, authenticator, changes: new Changes() }
}

/** Metrics, flow and supervisor know each other; none asks before the workers are started. */
function createShards({ config, connection, shared, log }: GatewayOptions): Shards {
  const { stream, cluster } = config.server
  const { shardCount, shardThreads: threadCount } = stream
  const laneBytes = laneBytesFor(shardCount)
  const ring = new GatewayRing(createArena({ shardCount, threadCount, laneBytes }))
  const metrics: Metrics = new Metrics({
    connections: () => flow.connections.size,
    pendingPublishes: () => flow.pending.size,
    workerRestarts: () => supervisor.restarts,
    canaryAges: () => flow.canaries.ages(),
    laneDepth: (direction) => ring.depthGuess(direction),
  })
  const flow = new MessageFlow({
    lanes: ring,
    shardCount,
    threadCount,
    limits: stream,
    meter: metrics,
  })
  const supervisor = new ShardSupervisor({
    ring,
    shardCount,
    threadCount,
    connection,
    shared,
    hints: cluster.hints,
    logLevel: config.logLevel,
    log,
    drainShard: (shard) => flow.drainShard(shard),
    died: (thread) => flow.threadDied(thread),
    replaced: (thread) => flow.threadReplaced(thread),
    report: (thread, report) => metrics.report(thread, report),
  })
  return { ring, metrics, flow, supervisor }
}

/** Every endpoint but the two fast ones and the pages. */
function apiRoutes(
  { config, forAll }: GatewayOptions,
  { clock, db, hasher, authenticator, changes }: Base,
  { metrics, flow }: Shards,
  isDraining: () => boolean,
): Route[] {
  const own: OwnAccount = { metrics, health: ownHealth(flow.canaries) }
  const account = forAll?.(own) ?? own
  const takesMessages = async (): Promise<boolean> => (await account.health()).takesMessages
  const manage = { db, authenticator, hasher, changes, config, clock, version: VERSION }
  const { legacyTokens } = config.server
  return [
    ...managementRoutes({ ...manage, legacyTokens, takesMessages }),
    metricsRoute(account.metrics),
    ...healthRoutes(account.health, isDraining),
  ]
}

/** The two fast endpoints, and the doors that lead to them and to all others. */
function createDoors(
  { config, sharedPort, log }: GatewayOptions,
  { db, authenticator }: Base,
  { metrics, flow }: Shards,
  events: StreamEvents,
  routes: readonly Route[],
): Pick<RunningGateway, 'publish' | 'streams' | 'server'> {
  const { server: settings } = config
  const { stream } = settings
  const cors = new CorsPolicy(settings)
  const proxies = new TrustedProxies(settings.trustedProxies)
  const remoteAddress: PublishOptions['remoteAddress'] = (res, req) =>
    proxies.clientAddress(
      addressText(res.getRemoteAddress()),
      req.getHeader('x-forwarded-for') || undefined,
    )
  const both = { gate: authenticator, cors, router: flow.router, remoteAddress }
  const publish = new PublishEndpoint({
    ...both,
    maxBodyBytes: settings.maxBodyBytes,
    onAnswer: (status, milliseconds) => metrics.published(status, milliseconds),
  })
  const streams = new StreamEndpoint({
    ...both,
    allowedOrigins: stream.allowedOrigins,
    openings: flow.openings,
    connections: flow.connections,
    events,
    pingPeriodSeconds: stream.pingPeriodSeconds,
    readBufferSize: stream.readBufferSize,
  })
  const server = createFrontDoors({
    db,
    ssl: settings.ssl,
    address: settings.listenAddr,
    port: sharedPort ?? settings.port,
    sharedPort: sharedPort !== undefined,
    keepAliveSeconds: settings.keepAlivePeriodSeconds,
    routes,
    authenticator,
    cors,
    trustedProxies: settings.trustedProxies,
    log,
    publish,
    stream: limitConnects(streams, stream.connectsPerSecond),
  })
  return { publish, streams, server }
}

/** Takes part in what the processes on one database tell each other. */
function joinOthers(
  { connection, log }: GatewayOptions,
  { db, changes }: Base,
  flow: MessageFlow,
): { leave(): Promise<void> } {
  const check = startConnectionCheck({
    db,
    changes,
    connected: () => flow.connections.all(),
    onError: (error) => log.warn({ err: error }, 'the check of connections failed'),
  })
  const relay = new ChangeRelay({ connection, changes, log, gap: () => check.run() })
  return {
    async leave() {
      await check.stop()
      await relay.close()
    },
  }
}

/** The greatest power of two within both bounds. */
function laneBytesFor(shardCount: number): number {
  return Math.min(LANE_BYTES, 2 ** Math.floor(Math.log2(ARENA_BYTES / (2 * shardCount))))
}
