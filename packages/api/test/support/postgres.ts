/**
 * A real PostgreSQL for a test file: the embedded server on a folder of its own, gone at the end.
 * Takes a second or two; start one for a file and give its subtests their own rows.
 */
import { migrate, type DatabaseConnection } from '@bellwire/common/db'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.ts'

/** The part of a tap test that is needed; close pools in a teardown registered after this call. */
interface Teardown {
  teardown(action: () => Promise<void>): void
}

/** The tables are there. */
export async function startTestPostgres(t: Teardown): Promise<DatabaseConnection> {
  const dataDir = await mkdtemp(join(tmpdir(), 'bellwire-test-'))
  const server = await startEmbeddedPostgres({ dataDir, log: pino({ level: 'silent' }) })
  t.teardown(async () => {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  })
  await migrate(server.connection)
  return server.connection
}
