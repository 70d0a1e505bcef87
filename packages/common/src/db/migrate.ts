/**
 * Brings the tables to the shape that this version knows, forward only. Runs at start, on the main
 * thread, before anything else uses the database; any number of processes may do it at once.
 */
import { Migrator, type Kysely, type Migration } from 'kysely'
import { createPool } from './connect.ts'
import type { DatabaseConnection } from './connection.ts'
import * as initial from './migrations/0001_initial.ts'
import * as cluster from './migrations/0004_cluster.ts'
import * as retention from './migrations/0005_retention.ts'
import * as oidc from './migrations/0006_oidc.ts'
import * as importLog from './migrations/0007_import.ts'
import * as publishArrays from './migrations/0008_publish_arrays.ts'
import { createDatabase } from './query-builder.ts'
import type { Database } from './schema.ts'
import { DatabaseStartError } from './start-error.ts'

/** In order of their names; a name is never changed or reused. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_initial': initial,
  '0004_cluster': cluster,
  '0005_retention': retention,
  '0006_oidc': oidc,
  '0007_import': importLog,
  '0008_publish_arrays': publishArrays,
}

const DUPLICATE_TABLE = '42P07'

/**
 * Runs what has not run yet and returns the names of it. All of it is one transaction under an
 * advisory lock of the session, so a second process waits, then finds nothing to do, and a failure
 * leaves no half-made table. Statements have no time limit here: an index on a large table takes long.
 *
 * @throws {DatabaseStartError} The database is newer than this program, or holds tables of others.
 */
export async function migrate(
  connection: DatabaseConnection,
  migrations: Readonly<Record<string, Migration>> = MIGRATIONS,
): Promise<readonly string[]> {
  const pool = createPool(connection, {
    name: 'bellwire-migrate',
    max: 1,
    statementTimeoutMs: 0,
    // A break shows as the failure of the query under way, or does no harm.
    onError: () => undefined,
  })
  const db = createDatabase(pool)
  try {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
      migrationTableName: 'bellwire_migration',
      migrationLockTableName: 'bellwire_migration_lock',
    })
    const { error, results } = await migrator.migrateToLatest()
    if (error !== undefined) throw await explain(error, db, migrations)
    return (results ?? []).map((result) => result.migrationName)
  } finally {
    await db.destroy()
  }
}

/** Finds the plain words for the two failures that a person can do something about. */
async function explain(
  error: unknown,
  db: Kysely<Database>,
  migrations: Readonly<Record<string, Migration>>,
): Promise<unknown> {
  if (error instanceof Error && 'code' in error && error.code === DUPLICATE_TABLE) {
    return new DatabaseStartError(
      `Cannot create the tables: ${error.message}, made by another program. ` +
        'Give Bellwire a database of its own; messages of a Gotify database move in by "bellwire import"',
      { cause: error },
    )
  }
  const newer = await unknownMigrations(db, migrations)
  if (newer.length === 0) return error
  return new DatabaseStartError(
    `Database is newer than this program: it went through "${newer.join('", "')}", ` +
      `and this version knows nothing beyond "${Object.keys(migrations).sort().at(-1)}". Start the newer version`,
    { cause: error },
  )
}

async function unknownMigrations(
  db: Kysely<Database>,
  migrations: Readonly<Record<string, Migration>>,
): Promise<readonly string[]> {
  try {
    const rows = await db
      .withTables<{ bellwire_migration: { name: string } }>()
      .selectFrom('bellwire_migration')
      .select('name')
      .orderBy('name')
      .execute()
    return rows.map((row) => row.name).filter((name) => !(name in migrations))
  } catch {
    // The first failure is the one to tell of; with the database gone there is nothing to look up.
    return []
  }
}
