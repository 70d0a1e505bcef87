/**
 * Closes streams whose client or user is gone although nobody said so: the process that deleted
 * them died before it could tell, or this one was cut off for long. Main thread; seldom, in slices.
 */
import type { ClientId, UserId } from '@bellwire/common'
import type { Database } from '@bellwire/common/db'
import type { Kysely } from 'kysely'
import type { Change, Changes } from '../changes.ts'

const PERIOD_MS = 30_000
/** Rows a statement. */
const CHUNK = 1_000

export interface Connected {
  readonly userId: UserId
  /** 0 for a stream opened with a password. */
  readonly clientId: ClientId | 0
}

export interface ConnectionCheckDeps {
  readonly db: Kysely<Database>
  readonly changes: Changes
  readonly connected: () => Iterable<Connected>
  /** Told of a check that failed; the next one does its work. */
  readonly onError: (error: unknown) => void
}

export interface ConnectionCheck {
  /** Checks now; a check under way is followed by another. */
  run(): void
  /** Resolves when a check under way is through. */
  stop(): Promise<void>
}

export function startConnectionCheck(deps: ConnectionCheckDeps): ConnectionCheck {
  let running = Promise.resolve()
  const run = (): void => {
    running = running.then(() => checkConnections(deps)).catch(deps.onError)
  }
  const timer = setInterval(run, PERIOD_MS)
  timer.unref()
  return {
    run,
    stop() {
      clearInterval(timer)
      return running
    },
  }
}

/** Announces the end of each connected client and user that the database does not have. */
export async function checkConnections(deps: ConnectionCheckDeps): Promise<void> {
  const users = new Set<UserId>()
  const clients = new Map<ClientId, UserId>()
  for (const { userId, clientId } of deps.connected()) {
    users.add(userId)
    if (clientId !== 0) clients.set(clientId, userId)
  }
  const gone: Change[] = []
  for (const userId of await missing(deps.db, 'users', [...users])) {
    gone.push({ kind: 'user-deleted', userId })
  }
  for (const clientId of await missing(deps.db, 'clients', [...clients.keys()])) {
    const userId = clients.get(clientId)
    if (userId !== undefined) gone.push({ kind: 'client-deleted', userId, clientId })
  }
  for (const change of gone) deps.changes.announce(change, 'elsewhere')
}

async function missing<Id extends UserId | ClientId>(
  db: Kysely<Database>,
  table: 'users' | 'clients',
  ids: readonly Id[],
): Promise<readonly Id[]> {
  const left = new Set<number>(ids)
  for (let start = 0; start < ids.length; start += CHUNK) {
    const rows = await db
      .selectFrom(table)
      .select('id')
      .where('id', 'in', ids.slice(start, start + CHUNK) as never)
      .execute()
    for (const { id } of rows) left.delete(id)
  }
  return ids.filter((id) => left.has(id))
}
