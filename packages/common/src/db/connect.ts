/**
 * Opens connections to PostgreSQL: one place for time-outs, result types and the handling of
 * connections that break while idle. Used by the gateway (pool), the shard workers (own clients)
 * and the command line. What errors mean is in availability.ts.
 */
import pg from 'pg'
import type { DatabaseConnection } from './connection.ts'
import { resultTypes } from './int8.ts'

/** A connection that is not there by then counts as refused. */
const CONNECT_TIMEOUT_MS = 5_000
/** The server ends a statement by then (SQLSTATE 57014). */
const STATEMENT_TIMEOUT_MS = 15_000
/** The client gives up later than the server, so only for a server that has stopped answering. */
const QUERY_TIMEOUT_MS = 20_000

export interface ClientOptions {
  /** Shown in pg_stat_activity. */
  readonly name: string
  /** Milliseconds; 0 for no bound (migrations). @default 15000 */
  readonly statementTimeoutMs?: number
}

export interface PoolOptions extends ClientOptions {
  /** Most connections open at once. */
  readonly max: number
  /** Told of connections that break; the pool replaces them by itself. */
  readonly onError: (error: Error) => void
}

/** Settings of a single `pg` client: what the pool uses, for those who hold their own connection. */
export function clientConfig(
  connection: DatabaseConnection,
  options: ClientOptions,
): pg.ClientConfig {
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS
  return {
    host: connection.host,
    port: connection.port,
    user: connection.user,
    password: connection.password,
    database: connection.database,
    ssl: connection.ssl === false ? false : { ...connection.ssl },
    application_name: options.name,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: resultTypes,
    ...(statementTimeoutMs > 0 && {
      statement_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + (QUERY_TIMEOUT_MS - STATEMENT_TIMEOUT_MS),
    }),
  }
}

/** Makes a pool; opens no connection before the first query. The caller ends it. */
export function createPool(connection: DatabaseConnection, options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({ ...clientConfig(connection, options), max: options.max })
  // `pg` announces a broken connection by event beside failing its query, and an event without a
  // listener ends the process. Told once each: the pool repeats what its idle connections announce.
  pool.on('connect', (client) => client.on('error', options.onError))
  pool.on('error', () => undefined)
  return pool
}
