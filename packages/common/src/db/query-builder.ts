/** The typed query builder on a pool. Apart from connect.ts, so that shard workers need not load it. */
import { Kysely, PostgresDialect } from 'kysely'
import type pg from 'pg'
import { queryPool } from './query-pool.ts'
import type { Database } from './schema.ts'

/** Puts the typed query builder on a pool; `destroy()` ends the pool too. */
export function createDatabase(pool: pg.Pool): Kysely<Database> {
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool: queryPool(pool) }) })
}
