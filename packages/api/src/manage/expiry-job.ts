/**
 * The job that ends clients by inactivity: every five minutes, as in Gotify, connected clients
 * count as used and expired ones are deleted and announced. It also deletes messages that were
 * published while their application was being deleted. Main thread; started by the gateway.
 */
import type { ApplicationId, ClientId, Clock } from '@bellwire/common'
import type { Database } from '@bellwire/common/db'
import { type Kysely, sql } from 'kysely'
import type { Changes } from '../changes.ts'
import { type PeriodicJob, startPeriodicJob } from '../periodic-job.ts'
import { deleteMessages } from './database-rules.ts'

const PERIOD_MS = 5 * 60 * 1000
/** By then every process has refreshed the clients that are connected to it. */
export const SHARED_GRACE_MS = PERIOD_MS + 60 * 1000
/** Rows a statement: far from the time limit of statements, and short locks. */
const CHUNK = 1_000

export interface ExpiryJobDeps {
  readonly db: Kysely<Database>
  readonly changes: Changes
  readonly clock: Clock
  /** Clients that hold a connection now. */
  readonly connectedClients: () => Iterable<ClientId>
  /** Milliseconds that an expired client is kept, for a process that has its connection. @default 0 */
  readonly graceMs?: number
  /** Told of a run that failed; the next one does its work. */
  readonly onError: (error: unknown) => void
}

export function startExpiryJob(deps: ExpiryJobDeps, periodMs = PERIOD_MS): PeriodicJob {
  return startPeriodicJob((stopped) => runExpiry(deps, stopped), periodMs, deps.onError)
}

/** One run: refresh first, so that a connected client never expires. */
export async function runExpiry(deps: ExpiryJobDeps, stopped?: AbortSignal): Promise<void> {
  const { db, changes, clock } = deps
  const connected = [...deps.connectedClients()]
  for (let start = 0; start < connected.length; start += CHUNK) {
    if (stopped?.aborted === true) return
    await refresh(db, connected.slice(start, start + CHUNK), clock.now())
  }
  const expired = await db
    .deleteFrom('clients')
    .where('expires_at', '<=', clock.now() - (deps.graceMs ?? 0))
    .returning(['id', 'user_id'])
    .execute()
  for (const { id, user_id } of expired) {
    changes.announce({ kind: 'client-deleted', userId: user_id, clientId: id })
  }
  for (const applicationId of await deletedApplications(db)) {
    await deleteMessages(db, { applicationId }, stopped)
  }
}

/**
 * Finds applications that are gone and have messages still. Hops from one application to the next
 * in the index, so its cost is that of the applications, not of their messages.
 */
async function deletedApplications(db: Kysely<Database>): Promise<ApplicationId[]> {
  const { rows } = await sql<{ id: ApplicationId }>`
    with recursive published (id) as (
      select min(application_id) from messages
      union all
      select (select min(application_id) from messages where application_id > published.id)
      from published where published.id is not null
    )
    select id from published
    where id is not null and id not in (select id from applications)`.execute(db)
  return rows.map(({ id }) => id)
}

/** Locks the rows in order of their ids, like every other batch, so that two batches never deadlock. */
async function refresh(db: Kysely<Database>, ids: readonly ClientId[], now: number): Promise<void> {
  await db
    .with('locked', (query) =>
      query.selectFrom('clients').select('id').where('id', 'in', ids).orderBy('id').forUpdate(),
    )
    .updateTable('clients')
    .from('locked')
    .whereRef('clients.id', '=', 'locked.id')
    .set({
      last_used: now,
      expires_at: sql<number | null>`case when expires_after_inactivity_seconds > 0
        then ${now} + expires_after_inactivity_seconds * 1000 end`,
    })
    .execute()
}
