/**
 * The composition root of one process: puts the stages together, starts them in the order of the
 * flow and stops them against it. Main thread. main.ts decides when.
 */
import { systemClock, type ClientId, type Logger } from '@bellwire/common'
import type { Config } from '@bellwire/common/config'
import {
  createDatabase,
  createPool,
  type Database,
  type DatabaseConnection,
} from '@bellwire/common/db'
import { createArena, GatewayRing } from '@bellwire/common/ring'
import { setTimeout as sleep } from 'node:timers/promises'
import { Authenticator } from './auth/authenticate.ts'
import { PasswordHasher } from './auth/password-hasher.ts'
import { Changes } from './changes.ts'
import { ChangeRelay } from './cluster/change-relay.ts'
import { startConnectionCheck } from './cluster/connection-check.ts'
import { healthRoutes } from './health/health-routes.ts'
import { type HealthQuestion, ownHealth } from './health/health.ts'
import { addressText, TrustedProxies } from './http/client-address.ts'
import { CorsPolicy } from './http/cors.ts'
import { PublishEndpoint, type PublishOptions } from './http/publish-endpoint.ts'
import { SHARED_GRACE_MS, startExpiryJob } from './manage/expiry-job.ts'
import { managementRoutes } from './manage/management-routes.ts'
import { MessageFlow } from './message-flow.ts'
import { metricsRoute } from './metrics-route.ts'
import { Metrics } from './metrics.ts'
import type { Kysely } from 'kysely'
import { closeConnections } from './shutdown.ts'
import { startRetentionJob } from './retention/retention-job.ts'
import { ShardSupervisor } from './shards/shard-supervisor.ts'
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
/** Whoever sends in the moment of the end gets a 503 in this time, and no reset. */
const LAST_REFUSALS_MS = 200

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

/** @throws {StartError} with one line that says why it cannot start. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, connection, log } = options
  const { stream } = config.server
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
  const changes = new Changes()
  changes.listen((change) => authenticator.onChange(change))

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
  const events = new StreamEvents(stream)
  changes.listen(revokeOnChange(flow.router))
  changes.listen((change) => events.onChange(change))
  const supervisor = new ShardSupervisor({
    ring,
    shardCount,
    threadCount,
    connection,
    shared: options.shared,
    hints: config.server.cluster.hints,
    logLevel: config.logLevel,
    log,
    drainShard: (shard) => flow.drainShard(shard),
    died: (thread) => flow.threadDied(thread),
    replaced: (thread) => flow.threadReplaced(thread),
    report: (thread, report) => metrics.report(thread, report),
  })
  const { legacyTokens } = config.server
  const manage = { db, authenticator, hasher, changes, config, clock, version: VERSION }
  const own: OwnAccount = { metrics, health: ownHealth(flow.canaries) }
  const account = options.forAll?.(own) ?? own
  const takesMessages = async (): Promise<boolean> => (await account.health()).takesMessages
  let draining = false
  const api = [
    ...managementRoutes({ ...manage, legacyTokens, takesMessages }),
    metricsRoute(account.metrics),
    ...healthRoutes(account.health, () => draining),
  ]

  const pumping = flow.pump.run()
  // Pages are read and packed on this thread while the workers load on theirs.
  const [web] = await Promise.all([webRoutes(api, config, VERSION), supervisor.start()])

  const cors = new CorsPolicy(config.server)
  const proxies = new TrustedProxies(config.server.trustedProxies)
  const remoteAddress: PublishOptions['remoteAddress'] = (res, req) =>
    proxies.clientAddress(
      addressText(res.getRemoteAddress()),
      req.getHeader('x-forwarded-for') || undefined,
    )
  const shared = { gate: authenticator, cors, router: flow.router, remoteAddress }
  const publish = new PublishEndpoint({
    ...shared,
    maxBodyBytes: config.server.maxBodyBytes,
    onAnswer: (status, milliseconds) => metrics.published(status, milliseconds),
  })
  const server = createFrontDoors({
    db,
    ssl: config.server.ssl,
    address: config.server.listenAddr,
    port: options.sharedPort ?? config.server.port,
    sharedPort: options.sharedPort !== undefined,
    keepAliveSeconds: config.server.keepAlivePeriodSeconds,
    routes: [...api, ...web],
    authenticator,
    cors,
    trustedProxies: config.server.trustedProxies,
    log,
    publish,
    stream: limitConnects(
      new StreamEndpoint({
        ...shared,
        allowedOrigins: stream.allowedOrigins,
        openings: flow.openings,
        connections: flow.connections,
        events,
        pingPeriodSeconds: stream.pingPeriodSeconds,
        readBufferSize: stream.readBufferSize,
      }),
      stream.connectsPerSecond,
    ),
  })
  flow.canaries.tick()
  const everySecond = setInterval(() => {
    flow.connections.pingDue(stream.pingPeriodSeconds, performance.now())
    flow.canaries.tick()
  }, 1_000)
  const expiry = startExpiryJob({
    db,
    changes,
    clock,
    connectedClients: () => connectedClients(flow),
    graceMs: options.shared ? SHARED_GRACE_MS : 0,
    onError: (error) => log.warn({ err: error }, 'the expiry of clients failed'),
  })
  const others = options.shared ? joinOthers(options, { db, changes, flow }) : null
  const retention = startRetentionJob({
    ...{ db, changes, clock, defaults: config.retention },
    onError: (error) => log.warn({ err: error }, 'the retention of messages failed'),
  })
  const { address, port } = await server.listen()

  return {
    address,
    port,
    supervisor,
    async stop() {
      draining = true
      await server.stopAccepting()
      hasher.refuseWaiting()
      clearInterval(everySecond)
      await expiry.stop()
      await retention.stop()
      await closeConnections(flow.connections, stream.drainSeconds)
      // A request that is at work still needs the shards, and others must hear what it changes.
      await Promise.all([server.finish(), publish.finish()])
      await sleep(LAST_REFUSALS_MS)
      await others?.leave()
      await supervisor.stop()
      await server.close()
      ring.close()
      await pumping
      flow.close()
      await authenticator.close().catch((error: unknown) => {
        log.warn({ err: error }, 'the last uses of tokens could not be written')
      })
      await hasher.close()
      metrics.close()
      await db.destroy()
    },
  }
}

/** Takes part in what the processes on one database tell each other. */
function joinOthers(
  { connection, log }: GatewayOptions,
  { db, changes, flow }: { db: Kysely<Database>; changes: Changes; flow: MessageFlow },
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

function* connectedClients(flow: MessageFlow): Iterable<ClientId> {
  for (const { clientId } of flow.connections.all()) if (clientId !== 0) yield clientId
}
