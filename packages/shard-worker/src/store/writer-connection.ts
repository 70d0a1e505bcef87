/**
 * The one connection a worker thread commits through. It is pipelined: a second batch is sent
 * while the first commits, and PostgreSQL answers in order. It comes back by itself after a break,
 * but only when no earlier session of this thread can still commit: a late commit of a lost batch
 * would put a smaller id behind a greater one.
 */
import {
  endsSession,
  isUnavailable,
  LastingConnection,
  shortageOf,
  type DatabaseConnection,
} from '@bellwire/common/db/postgres'
import type pg from 'pg'
import type { Logger } from '@bellwire/common'

/** First key of the advisory lock that stands for "the session that commits for thread n". */
const WRITER_LOCK = 0x62_77_72
const RETRY_MS = [50, 1_000] as const

export interface WriterOptions {
  readonly connection: DatabaseConnection
  /** Number of the worker thread: one session at a time commits for it. */
  readonly thread: number
  /** False where several processes share the database: there the shard locks keep the order. */
  readonly exclusive: boolean
  readonly log: Logger
}

export class WriterConnection {
  readonly #session: LastingConnection
  readonly #upListeners: (() => void)[] = []

  constructor({ connection, thread, exclusive, log }: WriterOptions) {
    this.#session = new LastingConnection({
      connection,
      name: `bellwire writer ${thread}`,
      pipeline: true,
      retryMs: RETRY_MS,
      async prepare(client) {
        if (exclusive) await takeOver(client, thread)
      },
      connected: () => {
        log.debug({ thread }, 'database connected')
        for (const listener of this.#upListeners) listener()
      },
      lost(error, how) {
        const text = how === 'broke' ? 'database lost' : 'database not reachable, trying again'
        log.warn({ error: String(error), thread }, text)
      },
    })
  }

  get isUp(): boolean {
    return this.#session.client !== null
  }

  onUp(listener: () => void): void {
    this.#upListeners.push(listener)
  }

  /** Connects, now and after every break; resolves after the first attempt, whatever came of it. */
  start(): Promise<void> {
    return this.#session.start()
  }

  /** @throws {Error} what `pg` says; the connection is given up when the fault is the connection's. */
  async query<Row extends pg.QueryResultRow>(
    query: pg.QueryConfig & { rowMode?: 'array' },
  ): Promise<pg.QueryResult<Row>> {
    const { client } = this.#session
    if (client === null) throw new NotConnectedError()
    try {
      return await client.query<Row>(query)
    } catch (error) {
      // A full disk fails the statement and leaves the session as it was.
      const isShort = shortageOf(error) !== null && !endsSession(error)
      if (isUnavailable(error) && !isShort) this.#session.giveUp(client, error)
      throw error
    }
  }

  close(): Promise<void> {
    return this.#session.close()
  }
}

/** Thrown by a query while there is no connection: surely nothing was sent. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError'

  constructor() {
    super('Database is not connected')
  }
}

/** Ends an earlier session of this thread and waits until it is gone. */
async function takeOver(client: pg.Client, thread: number): Promise<void> {
  await client.query(
    `select pg_terminate_backend(pid) from pg_locks
     where locktype = 'advisory' and classid = $1 and objid = $2 and objsubid = 2
       and database = (select oid from pg_database where datname = current_database())
       and pid <> pg_backend_pid() and granted`,
    [WRITER_LOCK, thread],
  )
  await client.query('select pg_advisory_lock($1, $2)', [WRITER_LOCK, thread])
}
