/**
 * The job that ends clients by inactivity: every five minutes, as in Gotify, connected clients
 * count as used and expired ones are deleted and announced. Main thread; started by the gateway.
 */
import type { Clock } from '@bellwire/common'
import type { ClientId } from '@bellwire/common'
import type { Database } from '@bellwire/common/db'
import { type Kysely, sql } from 'kysely'
import type { Changes } from '../changes.ts'

const PERIOD_MS = 5 * 60 * 1000
/** Rows a statement: far from the time limit of statements, and short locks. */
const CHUNK = 1_000

export interface ExpiryJobDeps {
  readonly db: Kysely<Database>
  readonly changes: Changes
  readonly clock: Clock
  /** Clients that hold a connection now. */
  readonly connectedClients: () => Iterable<ClientId>
  /** Told of a run that failed; the next one does its work. */
  readonly onError: (error: unknown) => void
}

export interface ExpiryJob {
  /** Ends the job; resolves when a run under way is through. */
  stop(): Promise<void>
}

export function startExpiryJob(deps: ExpiryJobDeps, periodMs = PERIOD_MS): ExpiryJob {
  let run: Promise<void> | null = null
  const timer = setInterval(() => {
    run ??= runExpiry(deps)
      .catch(deps.onError)
      .finally(() => {
        run = null
      })
  }, periodMs)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await run
    },
  }
}

/** One run: refresh first, so that a connected client never expires. */
export async function runExpiry(deps: ExpiryJobDeps): Promise<void> {
  const { db, changes, clock } = deps
  const connected = [...deps.connectedClients()]
  for (let start = 0; start < connected.length; start += CHUNK) {
    await refresh(db, connected.slice(start, start + CHUNK), clock.now())
  }
  const expired = await db
    .deleteFrom('clients')
    .where('expires_at', '<=', clock.now())
    .returning(['id', 'user_id'])
    .execute()
  for (const { id, user_id } of expired) {
    changes.announce({ kind: 'client-deleted', userId: user_id, clientId: id })
  }
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
