/**
 * What lies between Kysely and the pool of `pg`: a connection on which the database failed is
 * closed, not used again. Kysely returns every connection as a good one, and one whose query
 * timed out still waits for its answer, so each query after it would wait as long.
 */
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely'
import type pg from 'pg'
import { isUnavailable } from './availability.ts'

export function queryPool(pool: pg.Pool): PostgresPool {
  return {
    connect: async () => new WatchedClient(await pool.connect()),
    end: () => pool.end(),
  }
}

/** A client of `pg` as Kysely types it, with what `pg` can do beyond: close instead of keep. */
type ClosableClient = PostgresPoolClient & { release(close: boolean): void }

class WatchedClient implements PostgresPoolClient {
  readonly #client: ClosableClient
  #broken = false

  constructor(client: ClosableClient) {
    this.#client = client
  }

  query<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>>
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>
  query<R>(
    text: string | PostgresCursor<R>,
    values: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof text !== 'string') throw new TypeError('Cannot read by cursor: page by id instead')
    return this.#run<R>(text, values)
  }

  release(): void {
    this.#client.release(this.#broken)
  }

  async #run<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    try {
      return await this.#client.query<R>(text, values)
    } catch (error) {
      this.#broken ||= isUnavailable(error)
      throw error
    }
  }
}
