/**
 * Reads a gotify.db. Opened so that nothing can be written to it, with its write-ahead log where it
 * has one, and checked as a whole before the first row is used.
 */
import { open, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Database } from 'libsql'
import type { GotifyRow, GotifySource, GotifyTable } from './gotify-source.ts'
import { ImportError } from './import-error.ts'

/** The library ends a text at a NUL, which a message may hold; as bytes it is whole. */
const COLUMNS: Partial<Record<GotifyTable, string>> = {
  messages: '*, cast(message as blob) as message, cast(title as blob) as title',
}

/** @throws {ImportError} when there is no such file, or it may not be read, is in use, damaged, or no SQLite database */
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
    return new SqliteSource(file, database)
  } catch (error) {
    database.close()
    throw await refusal(file, error)
  }
}

class SqliteSource implements GotifySource {
  readonly #file: string
  readonly #database: Database

  constructor(file: string, database: Database) {
    this.#file = file
    this.#database = database
  }

  async columnsOf(table: GotifyTable): Promise<ReadonlySet<string>> {
    const rows = await this.#all('select name from pragma_table_info(?)', table)
    return new Set(rows.map((row) => String(row['name'])))
  }

  page(table: GotifyTable, after: number, limit: number): Promise<readonly GotifyRow[]> {
    return this.#all(
      `select ${COLUMNS[table] ?? '*'} from ${table} where id > ? order by id limit ?`,
      after,
      limit,
    )
  }

  async lastId(table: GotifyTable): Promise<number> {
    // Gotify's tables count by AUTOINCREMENT: sqlite_sequence remembers deleted rows.
    const [row] = await this.#all('select seq as last from sqlite_sequence where name = ?', table)
    return Number(row?.['last'] ?? 0)
  }

  close(): Promise<void> {
    this.#database.close()
    return Promise.resolve()
  }

  async #all(
    statement: string,
    ...parameters: readonly (string | number)[]
  ): Promise<readonly GotifyRow[]> {
    try {
      return this.#database.prepare(statement).all(...parameters) as GotifyRow[]
    } catch (error) {
      throw await refusal(this.#file, error)
    }
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
    throw await refusal(file, error)
  }
}

function unreadable(file: string, cause: unknown): ImportError {
  return new ImportError(`Cannot read "${file}": ${inOneLine(cause)}`, { cause })
}

/** What SQLite's refusal means to a person: a whole database can be in a state that a reader may not end. */
async function refusal(file: string, cause: unknown): Promise<ImportError> {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const about = (text: string): ImportError => new ImportError(`"${file}" ${text}`, { cause })
  // A journal that is not rolled back: to read past it would be to write.
  if (code.startsWith('SQLITE_READONLY')) {
    return about('has an unfinished transaction: start and stop Gotify once, then import')
  }
  if (code.startsWith('SQLITE_BUSY')) return about('is in use: stop Gotify, then import')
  if (code.startsWith('SQLITE_CANTOPEN')) {
    return about(`may not be opened: ${await obstacleBeside(file)}`)
  }
  return about(`is damaged or no SQLite database: ${inOneLine(cause)}`)
}

/** The file itself can be read; a write-ahead log needs another two beside it. */
async function obstacleBeside(file: string): Promise<string> {
  for (const beside of [`${file}-wal`, `${file}-shm`]) {
    try {
      const handle = await open(beside)
      await handle.close()
    } catch (error) {
      const isThere = !(error instanceof Error && 'code' in error && error.code === 'ENOENT')
      if (isThere) return `"${beside}" must be readable`
    }
  }
  return `its folder "${dirname(file)}" must be writable, because it has a write-ahead log`
}

function inOneLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replaceAll('\n', ' ')
}
