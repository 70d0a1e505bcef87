/**
 * A Gotify database as the import reads it, whatever keeps it: SQLite or PostgreSQL, of Gotify 2 or
 * 3. All reads see one moment. Main thread of `bellwire import`; first stage of it.
 */
import { ImportError } from './import-error.ts'

export type GotifyTable = 'users' | 'applications' | 'clients' | 'messages' | 'plugin_confs'

/** By column; a column that an older Gotify did not have is not there. */
export type GotifyRow = Readonly<Record<string, unknown>>

export interface GotifySource {
  /** Empty: there is no such table. */
  columnsOf(table: GotifyTable): Promise<ReadonlySet<string>>
  /** Up to `limit` rows with a greater id, ascending. */
  page(table: GotifyTable, after: number, limit: number): Promise<readonly GotifyRow[]>
  /** The greatest id ever given out, also to a row that is gone; 0 for none. */
  lastId(table: GotifyTable): Promise<number>
  close(): Promise<void>
}

/** What every version has; without one of these it is no Gotify database. */
const NEEDED: readonly (readonly [GotifyTable, readonly string[]])[] = [
  ['users', ['id', 'name', 'pass', 'admin']],
  ['applications', ['id', 'user_id', 'token', 'name', 'description', 'image']],
  ['clients', ['id', 'user_id', 'token', 'name']],
  ['messages', ['id', 'application_id', 'message', 'title', 'priority', 'date']],
]

/** @throws {ImportError} */
export async function requireGotifyTables(source: GotifySource): Promise<void> {
  for (const [table, columns] of NEEDED) {
    const present = await source.columnsOf(table)
    if (present.size === 0) {
      throw new ImportError(`This is no Gotify database: it has no table "${table}"`)
    }
    const missing = columns.find((column) => !present.has(column))
    if (missing !== undefined) {
      throw new ImportError(
        `This is no Gotify database: its table "${table}" has no column "${missing}"`,
      )
    }
  }
}

/** All rows in the order of their ids, some hundred at a time. */
export async function* pagesOf(
  source: GotifySource,
  table: GotifyTable,
  limit = 500,
): AsyncGenerator<readonly GotifyRow[]> {
  let after = 0
  for (;;) {
    const rows = await source.page(table, after, limit)
    if (rows.length === 0) return
    yield rows
    if (rows.length < limit) return
    after = Number(rows.at(-1)?.['id'])
  }
}

export async function allRows(source: GotifySource, table: GotifyTable): Promise<GotifyRow[]> {
  const rows: GotifyRow[] = []
  for await (const page of pagesOf(source, table)) rows.push(...page)
  return rows
}
