/** A connection to the embedded PostgreSQL of a measured server, by its socket in the data folder. */
import { createPool } from '@bellwire/common/db'
import { realpathSync } from 'node:fs'
import { say } from '../plan/progress.ts'

export type DatabasePool = ReturnType<typeof createPool>

/** One connection for as long as the pool lives; the caller ends it. */
export function connectEmbedded(workDir: string): DatabasePool {
  const connection = {
    host: realpathSync(`${workDir}/data/postgres/run`),
    port: 5432,
    user: 'bellwire',
    password: '',
    database: 'bellwire',
    ssl: false,
  } as const
  return createPool(connection, {
    name: 'bellwire-bench',
    statementTimeoutMs: 0,
    max: 1,
    onError: (error) => say(`    The database ended a connection: ${error.message}`),
  })
}
