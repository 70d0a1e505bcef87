/** Starts the embedded PostgreSQL or takes the external one, as the settings say. Main thread; before the gateway. */
import type { Logger } from '@bellwire/common'
import type { Config } from '@bellwire/common/config'
import { clientConfig, DatabaseStartError, type DatabaseConnection } from '@bellwire/common/db'
import pg from 'pg'
import { externalConnection } from './external-connection.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'

/** A pool of ten, one for changes, and some for whoever looks in. */
const GATEWAY_CONNECTIONS = 14
/** One that writes, two that read, one for hints. */
const THREAD_CONNECTIONS = 4

export interface OpenDatabase {
  readonly connection: DatabaseConnection
  /** True where other processes may write to it. */
  readonly shared: boolean
  stop(): Promise<void>
}

/** @throws {DatabaseStartError} One line that says why it cannot and what to do. */
export async function openDatabase(config: Config, log: Logger): Promise<OpenDatabase> {
  if (config.database.dialect === 'postgres') {
    const connection = externalConnection(config.database.connection)
    await reach(connection)
    return { connection, shared: true, stop: () => Promise.resolve() }
  }
  const postgres = await startEmbeddedPostgres({
    dataDir: config.dataDir,
    connections: connectionsOf(config),
    log,
  })
  return { connection: postgres.connection, shared: false, stop: () => postgres.stop() }
}

/** Connections of all processes, each of which is there twice while it is replaced. */
function connectionsOf({ server }: Config): number {
  const { cluster, stream } = server
  return 2 * cluster.processes * (GATEWAY_CONNECTIONS + THREAD_CONNECTIONS * stream.shardThreads)
}

/** @throws {DatabaseStartError} when it does not let us in */
async function reach(connection: DatabaseConnection): Promise<void> {
  const client = new pg.Client(clientConfig(connection, { name: 'bellwire start' }))
  try {
    await client.connect()
  } catch (error) {
    const { host, port, database } = connection
    throw new DatabaseStartError(
      `Cannot use the database ${database} at ${host}:${port} (GOTIFY_DATABASE_CONNECTION): ${reasonOf(error)}`,
      { cause: error },
    )
  } finally {
    await client.end()
  }
}

/** A name with several addresses fails with one error for each, and no text of its own. */
function reasonOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first.message : String(first)
}
