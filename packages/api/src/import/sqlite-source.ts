/**
 * Reads a gotify.db. Opened so that nothing can be written to it, with its write-ahead log where it
 * has one, and checked as a whole before the first row is used.
 */
import { open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Database } from 'libsql'
import type { GotifyRow, GotifySource, GotifyTable } from './gotify-source.ts'
import { ImportError } from './import-error.ts'

/** The library ends a text at a NUL, which a message may hold; as bytes it is whole. */
const COLUMNS: Partial<Record<GotifyTable, string>> = {
  messages: '*, cast(message as blob) as message, cast(title as blob) as title',
}

/** @throws {ImportError} when there is no such file, or it may not be read, is damaged, or no SQLite database */
export async function openSqliteSource(file: string): Promise<GotifySource> {
  await requireReadable(file)
  const database = await connect(file)
  try {
    database.defaultSafeIntegers(true)
    // One moment for all reads, also while a Gotify still writes.
    database.exec('begin')
    const [row] = database.prepare('pragma integrity_check(1)').all() as GotifyRow[]
    if (row?.['integrity_check'] !== 'ok') {
      throw new Error(String(row?.['integrity_check']))
    }
    return new SqliteSource(database)
  } catch (error) {
    database.close()
    throw damaged(file, error)
  }
}

class SqliteSource implements GotifySource {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  columnsOf(table: GotifyTable): Promise<ReadonlySet<string>> {
    const rows = this.#all('select name from pragma_table_info(?)', table)
    return Promise.resolve(new Set(rows.map((row) => String(row['name']))))
  }

  page(table: GotifyTable, after: number, limit: number): Promise<readonly GotifyRow[]> {
    return Promise.resolve(
      this.#all(
        `select ${COLUMNS[table] ?? '*'} from ${table} where id > ? order by id limit ?`,
        after,
        limit,
      ),
    )
  }

  lastId(table: GotifyTable): Promise<number> {
    // Gotify's tables count by AUTOINCREMENT: sqlite_sequence remembers deleted rows.
    const [row] = this.#all('select seq as last from sqlite_sequence where name = ?', table)
    return Promise.resolve(Number(row?.['last'] ?? 0))
  }

  close(): Promise<void> {
    this.#database.close()
    return Promise.resolve()
  }

  #all(statement: string, ...parameters: readonly (string | number)[]): GotifyRow[] {
    return this.#database.prepare(statement).all(...parameters) as GotifyRow[]
  }
}

/** The library tells of a file that may not be read by a number only. */
async function requireReadable(file: string): Promise<void> {
  try {
    if ((await stat(file)).isFile()) {
      const handle = await open(file)
      await handle.close()
      return
    }
  } catch (error) {
    throw unreadable(file, error)
  }
  throw new ImportError(`Cannot read "${file}": it is no file`)
}

async function connect(file: string): Promise<Database> {
  // Only an import needs the library: the server never loads it.
  const { default: Sqlite } = await import('libsql')
  try {
    return new Sqlite(`${pathToFileURL(resolve(file)).href}?mode=ro`)
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(file: string, cause: unknown): ImportError {
  return new ImportError(`Cannot read "${file}": ${inOneLine(cause)}`, { cause })
}

function damaged(file: string, cause: unknown): ImportError {
  return new ImportError(`"${file}" is damaged or no SQLite database: ${inOneLine(cause)}`, {
    cause,
  })
}

function inOneLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replaceAll('\n', ' ')
}
