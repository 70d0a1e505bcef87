/** Reads the database of a Gotify that ran on PostgreSQL, in one read-only transaction. */
import { clientConfig } from '@bellwire/common/db'
import pg from 'pg'
import { externalConnection } from '../database/external-connection.ts'
import { sourceFailure } from './database-failure.ts'
import type { GotifyRow, GotifySource, GotifyTable } from './gotify-source.ts'
import { ImportError } from './import-error.ts'

/**
 * @param address as GOTIFY_DATABASE_CONNECTION: a postgres:// URL or `host=... user=...`
 * @throws {ImportError} when it is no such address or nothing answers there
 */
export async function openPostgresSource(address: string): Promise<GotifySource> {
  const client = new pg.Client({ ...settingsFor(address), types: exactTypes })
  const source = new PostgresSource(client)
  try {
    await client.connect()
    await client.query('begin transaction isolation level repeatable read read only')
  } catch (error) {
    throw sourceFailure(error, null)
  }
  return source
}

class PostgresSource implements GotifySource {
  readonly #client: pg.Client
  /** Why the connection broke; the query after it fails without saying so. */
  #lost: Error | null = null

  constructor(client: pg.Client) {
    this.#client = client
    client.on('error', (error) => (this.#lost ??= error))
  }

  async columnsOf(table: GotifyTable): Promise<ReadonlySet<string>> {
    const rows = await this.#query<{ name: string }>(
      `select attname as name from pg_attribute
        where attrelid = to_regclass($1) and attnum > 0 and not attisdropped`,
      [table],
    )
    return new Set(rows.map(({ name }) => name))
  }

  async page(table: GotifyTable, after: number, limit: number): Promise<readonly GotifyRow[]> {
    return this.#query(`select * from ${table} where id > $1 order by id limit $2`, [after, limit])
  }

  async lastId(table: GotifyTable): Promise<number> {
    const rows = await this.#query<{ last: bigint | null }>(
      `select coalesce(pg_sequence_last_value(pg_get_serial_sequence($1, 'id')::regclass),
        (select max(id) from ${table})) as last`,
      [table],
    )
    return Number(rows[0]?.last ?? 0)
  }

  close(): Promise<void> {
    return this.#client.end()
  }

  /** @throws {ImportError} */
  async #query<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[],
  ): Promise<readonly Row[]> {
    try {
      const { rows } = await this.#client.query<Row>(text, [...values])
      return rows
    } catch (error) {
      throw sourceFailure(error, this.#lost)
    }
  }
}

/** Gotify takes any 64-bit number; what does not fit is brought to size later. */
const exactTypes: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    if (oid === pg.types.builtins.INT8 && format !== 'binary') return BigInt
    return pg.types.getTypeParser(oid, format) as unknown
  },
}

function settingsFor(address: string): pg.ClientConfig {
  try {
    const options = { name: 'bellwire import', statementTimeoutMs: 0 }
    return clientConfig(externalConnection(address), options)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ImportError(`The address of the Gotify database ${reason}`, { cause: error })
  }
}
