/** Starts the embedded PostgreSQL or takes the external one, as the settings say. Main thread; before the gateway. */
import type { Logger } from '@bellwire/common'
import type { Config } from '@bellwire/common/config'
import type { DatabaseConnection } from '@bellwire/common/db'
import { externalConnection } from './external-connection.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'

export interface OpenDatabase {
  readonly connection: DatabaseConnection
  /** True where other processes may write to it. */
  readonly shared: boolean
  stop(): Promise<void>
}

export async function openDatabase(config: Config, log: Logger): Promise<OpenDatabase> {
  if (config.database.dialect === 'postgres') {
    const connection = externalConnection(config.database.connection)
    return { connection, shared: true, stop: () => Promise.resolve() }
  }
  const postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, log })
  return { connection: postgres.connection, shared: false, stop: () => postgres.stop() }
}
