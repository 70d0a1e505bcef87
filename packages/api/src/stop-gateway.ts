/**
 * The stop of a gateway. Main thread; gateway.ts starts what is stopped here. It goes against the
 * flow, so that whatever was accepted finds all it needs until it is answered:
 *
 *  1. The sources: no new connection, stream or password check, and nothing new in the background.
 *     A job at work is told, and nobody waits for it yet.
 *  2. The streams, evenly over their seconds. Requests on open connections are still served, and
 *     their answers end the connections.
 *  3. The requests and publishes at work, 5 s at the most, and beside them the job.
 *  4. The word to other processes: until here there was something to tell them.
 *  5. The workers, which commit and answer what they hold, then the connections, the lanes and what
 *     waits at them.
 *  6. What needed the database last (uses of tokens), and the database.
 */
import type { Logger } from '@bellwire/common'
import type { Database } from '@bellwire/common/db'
import type { GatewayRing } from '@bellwire/common/ring'
import type { Kysely } from 'kysely'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Authenticator } from './auth/authenticate.ts'
import type { PasswordHasher } from './auth/password-hasher.ts'
import type { Background } from './background.ts'
import type { PublishEndpoint } from './http/publish-endpoint.ts'
import type { MessageFlow } from './message-flow.ts'
import type { Metrics } from './metrics.ts'
import type { ShardSupervisor } from './shards/shard-supervisor.ts'
import { closeConnections } from './stream/close-connections.ts'
import type { StreamEndpoint } from './stream/stream-endpoint.ts'
import type { FrontDoors } from './tls/front-doors.ts'

/** In a cluster: how long publishers on open connections are served and told to open another one. */
const MOVE_OVER_MS = 500
/** Whoever sends in the moment of the end gets a 503 in this time, and no reset. */
const LAST_REFUSALS_MS = 200

/** Everything that runs. */
export interface RunningGateway {
  readonly log: Logger
  readonly db: Kysely<Database>
  readonly hasher: PasswordHasher
  readonly authenticator: Authenticator
  readonly metrics: Metrics
  readonly ring: GatewayRing
  readonly flow: MessageFlow
  /** Ends when the ring is closed. */
  readonly pumping: Promise<void>
  readonly supervisor: ShardSupervisor
  readonly publish: PublishEndpoint
  readonly streams: StreamEndpoint
  readonly server: FrontDoors
  readonly background: Background
  /** Null where nobody else writes to the database. */
  readonly others: { leave(): Promise<void> } | null
}

/**
 * Resolves after everything accepted was finished.
 * @param drainSeconds to close the streams in
 */
export async function stopGateway(running: RunningGateway, drainSeconds: number): Promise<void> {
  const { db, hasher, authenticator, metrics, ring, flow, pumping, log } = running
  const { supervisor, publish, streams, server, background, others } = running

  const backgroundEnds = background.stop()
  streams.refuseAll()
  await server.stopAccepting()
  publish.leave()
  hasher.refuseWaiting()

  await Promise.all([
    closeConnections(flow.connections, drainSeconds),
    others === null ? undefined : sleep(MOVE_OVER_MS),
  ])

  await Promise.all([server.finish(), publish.finish(), backgroundEnds])
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
}
