/**
 * `bellwire import`: takes a Gotify database over into the database of this Bellwire, which must not
 * be running. One transaction: an import that fails changes nothing. It can be run again and then
 * brings what is new, but nothing that was deleted here since.
 */
import { systemClock, type Logger } from '@bellwire/common'
import type { Config } from '@bellwire/common/config'
import {
  createDatabase,
  createPool,
  type Database,
  type DatabaseConnection,
  migrate,
} from '@bellwire/common/db'
import { type Kysely, sql, type Transaction } from 'kysely'
import { openDatabase } from '../database/open-database.ts'
import { ImageFiles } from '../manage/image-files.ts'
import { targetFailure } from './database-failure.ts'
import { type GotifySource, pagesOf, requireGotifyTables } from './gotify-source.ts'
import { requireRoom } from './gotify-values.ts'
import { importApplications } from './import-applications.ts'
import { importClients } from './import-clients.ts'
import { ImportError } from './import-error.ts'
import { type ImageFolders, importImages } from './import-images.ts'
import { ImportLog } from './import-log.ts'
import { importMessages } from './import-messages.ts'
import { ImportReport } from './import-report.ts'
import { importUsers } from './import-users.ts'
import { openSource } from './open-source.ts'

export interface ImportOptions {
  /** File of a gotify.db, or address of a PostgreSQL database as in GOTIFY_DATABASE_CONNECTION. */
  readonly from: string
  /** Gotify's folder of images; null: `images` beside the file, if it is there. */
  readonly imagesDir: string | null
  readonly config: Config
  readonly log: Logger
}

const TABLES = ['users', 'applications', 'clients', 'messages'] as const

/** @throws {ImportError | DatabaseStartError} with one line that says why; nothing was changed then */
export async function runImport({
  from,
  imagesDir,
  config,
  log,
}: ImportOptions): Promise<ImportReport> {
  const { source, imagesBeside } = await openSource(from)
  try {
    await requireGotifyTables(source)
    const database = await openDatabase(config, log)
    try {
      const folders = { from: imagesDir ?? imagesBeside, to: config.uploadedImagesDir }
      return await importInto(database.connection, source, folders)
    } finally {
      await database.stop()
    }
  } finally {
    await source.close()
  }
}

async function importInto(
  connection: DatabaseConnection,
  source: GotifySource,
  folders: ImageFolders,
): Promise<ImportReport> {
  let lost: Error | null = null
  const pool = createPool(connection, {
    name: 'bellwire import',
    max: 1,
    statementTimeoutMs: 0,
    // The statement after it fails without saying why the connection broke.
    onError: (error) => (lost ??= error),
  })
  const db = createDatabase(pool)
  const copied: string[] = []
  try {
    await migrate(connection)
    return await db
      .transaction()
      .execute((transaction) => importAll(transaction, source, folders, copied))
  } catch (error) {
    const images = new ImageFiles(folders.to)
    await Promise.all(copied.map((name) => images.remove(name)))
    throw targetFailure(error, lost)
  } finally {
    await db.destroy()
  }
}

async function importAll(
  db: Transaction<Database>,
  source: GotifySource,
  folders: ImageFolders,
  copied: string[],
): Promise<ImportReport> {
  await requireNoBellwire(db)
  const report = new ImportReport()
  const log = await ImportLog.read(db)
  const context = { source, db, report, log, now: systemClock.now() }
  const userIds = await importUsers(context)
  const applications = await importApplications(context, userIds)
  await importClients(context, userIds)
  await importMessages(context, applications)
  await leaveOutPlugins(source, report)
  for (const table of TABLES) await continueIds(db, table, await source.lastId(table))
  await importImages(context, applications, folders, copied)
  await log.write(db)
  return report
}

/**
 * A running Bellwire keeps tokens and last ids in memory, so it would not notice what comes in. The
 * locks keep one that starts now waiting until all of it is there.
 */
async function requireNoBellwire(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select application_name as name from pg_stat_activity
    where datname = current_database() and application_name like 'bellwire %'
      and pid <> pg_backend_pid() limit 1`.execute(db)
  if (rows.length > 0) {
    throw new ImportError('A Bellwire is running on this database. Stop it, import, start it again')
  }
  await sql`lock table users, applications, clients, messages in share row exclusive mode`.execute(
    db,
  )
}

async function leaveOutPlugins(source: GotifySource, report: ImportReport): Promise<void> {
  if ((await source.columnsOf('plugin_confs')).size === 0) return
  for await (const page of pagesOf(source, 'plugin_confs')) {
    report.leftOut('settings of plugins (Bellwire runs none)', page.length)
  }
}

/** No id that Gotify ever gave out is given out again: clients take a smaller one for old news. */
async function continueIds(
  db: Kysely<Database>,
  table: (typeof TABLES)[number],
  last: number,
): Promise<void> {
  if (last === 0) return
  requireRoom(table, last)
  await sql`
    select setval(s.name, greatest(${last}::bigint, nextval(s.name)))
    from (select pg_get_serial_sequence(${table}, 'id')::regclass as name) as s`.execute(db)
}
