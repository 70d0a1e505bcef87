/**
 * What a gateway does without being asked: pings and canaries every second, and the jobs that
 * expire clients and delete old messages. Main thread; gateway.ts starts it, stop-gateway.ts ends it.
 */
import type { ClientId, Clock, Logger } from '@bellwire/common'
import type { Config } from '@bellwire/common/config'
import type { Database } from '@bellwire/common/db'
import type { Kysely } from 'kysely'
import type { Changes } from './changes.ts'
import { SHARED_GRACE_MS, startExpiryJob } from './manage/expiry-job.ts'
import type { MessageFlow } from './message-flow.ts'
import { startRetentionJob } from './retention/retention-job.ts'

export interface BackgroundOptions {
  readonly config: Config
  readonly db: Kysely<Database>
  readonly changes: Changes
  readonly flow: MessageFlow
  readonly clock: Clock
  /** True where other processes write to the same database. */
  readonly shared: boolean
  readonly log: Logger
}

export interface Background {
  /** Begins nothing more; resolves when no job is at work. */
  stop(): Promise<void>
}

export function startBackground(options: BackgroundOptions): Background {
  const { config, db, changes, flow, clock, shared, log } = options
  const { pingPeriodSeconds } = config.server.stream
  flow.canaries.tick()
  const everySecond = setInterval(() => {
    flow.connections.pingDue(pingPeriodSeconds, performance.now())
    flow.canaries.tick()
  }, 1_000)
  const expiry = startExpiryJob({
    ...{ db, changes, clock },
    connectedClients: () => connectedClients(flow),
    graceMs: shared ? SHARED_GRACE_MS : 0,
    onError: (error) => log.warn({ err: error }, 'the expiry of clients failed'),
  })
  const retention = startRetentionJob({
    ...{ db, changes, clock, defaults: config.retention },
    onError: (error) => log.warn({ err: error }, 'the retention of messages failed'),
  })
  return {
    async stop() {
      clearInterval(everySecond)
      await Promise.all([expiry.stop(), retention.stop()])
    },
  }
}

function* connectedClients(flow: MessageFlow): Iterable<ClientId> {
  for (const { clientId } of flow.connections.all()) if (clientId !== 0) yield clientId
}
