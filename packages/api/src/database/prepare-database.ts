/**
 * Makes the database ready for gateways: tables brought up to date, the first administrator made.
 * Main thread, once at the start, before any gateway; in a cluster the primary does it, and members
 * look at the tables again, as they may be newer.
 */
import { systemClock, type Logger } from '@bellwire/common'
import type { Config } from '@bellwire/common/config'
import {
  createDatabase,
  createPool,
  DatabaseStartError,
  isUnavailable,
  migrate,
  type DatabaseConnection,
} from '@bellwire/common/db'
import { PasswordHasher } from '../auth/password-hasher.ts'
import { createFirstAdmin } from './first-admin.ts'

export interface PreparedDatabase {
  /** True when this start made the first admin. */
  readonly madeAdmin: boolean
}

/** @throws {DatabaseStartError} with one line that says why it cannot start. */
export async function prepareDatabase(
  config: Config,
  connection: DatabaseConnection,
  log: Logger,
): Promise<PreparedDatabase> {
  try {
    return await prepare(config, connection, log)
  } catch (error) {
    // It was there a moment ago: openDatabase() reached it.
    if (!isUnavailable(error)) throw error
    throw new DatabaseStartError(
      `The database was lost during the start: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
}

async function prepare(
  config: Config,
  connection: DatabaseConnection,
  log: Logger,
): Promise<PreparedDatabase> {
  await migrate(connection)
  const pool = createPool(connection, {
    name: 'bellwire start',
    max: 1,
    onError: (error) => log.debug({ error: String(error) }, 'pool connection lost'),
  })
  const db = createDatabase(pool)
  const hasher = new PasswordHasher({ cost: config.passStrength })
  try {
    const madeAdmin = await createFirstAdmin(db, {
      ...config.defaultUser,
      hash: (pass) => hasher.hash(pass),
      clock: systemClock,
    })
    return { madeAdmin }
  } finally {
    await hasher.close()
    await db.destroy()
  }
}
