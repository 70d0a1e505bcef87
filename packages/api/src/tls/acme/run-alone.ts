/** One process at a time on a database: the lock goes with the connection, so a dead process holds none. Main thread. */
import type { Database } from '@bellwire/common/db'
import { type Kysely, sql } from 'kysely'

/** Two numbers of our own among the advisory locks: "bell" and "acme". */
const LOCK = sql`1650813036, 1633906021`

/** Runs the work unless another process does; resolves to whether it ran. */
export function runAlone(db: Kysely<Database>, work: () => Promise<void>): Promise<boolean> {
  return db.connection().execute(async (connection) => {
    const { rows } = await sql<{
      locked: boolean
    }>`select pg_try_advisory_lock(${LOCK}) as locked`.execute(connection)
    if (rows[0]?.locked !== true) return false
    try {
      await work()
      return true
    } finally {
      await sql`select pg_advisory_unlock(${LOCK})`.execute(connection)
    }
  })
}
