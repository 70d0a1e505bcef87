/**
 * The one connection a worker thread commits through. It is pipelined: a second batch is sent
 * while the first commits, and PostgreSQL answers in order. It comes back by itself after a break,
 * but only when no earlier session of this thread can still commit: a late commit of a lost batch
 * would put a smaller id behind a greater one.
 */
import {
  clientConfig,
  endsSession,
  isUnavailable,
  shortageOf,
  type DatabaseConnection,
} from '@bellwire/common/db/postgres'
import pg from 'pg'
import type { Logger } from '@bellwire/common'

/** First key of the advisory lock that stands for "the session that commits for thread n". */
const WRITER_LOCK = 0x62_77_72
const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 1_000

export interface WriterOptions {
  readonly connection: DatabaseConnection
  /** Number of the worker thread: one session at a time commits for it. */
  readonly thread: number
  /** False where several processes share the database: there the shard locks keep the order. */
  readonly exclusive: boolean
  readonly log: Logger
}

export class WriterConnection {
  readonly #options: WriterOptions
  #client: pg.Client | null = null
  #upListeners: (() => void)[] = []
  #closed = false
  #retry: NodeJS.Timeout | null = null
  #retryMs = FIRST_RETRY_MS

  constructor(options: WriterOptions) {
    this.#options = options
  }

  get isUp(): boolean {
    return this.#client !== null
  }

  onUp(listener: () => void): void {
    this.#upListeners.push(listener)
  }

  /** Connects, now and after every break; resolves after the first attempt, whatever came of it. */
  async start(): Promise<void> {
    await this.#connect()
  }

  /** @throws {Error} what `pg` says; the connection is given up when the fault is the connection's. */
  async query<Row extends pg.QueryResultRow>(
    query: pg.QueryConfig & { rowMode?: 'array' },
  ): Promise<pg.QueryResult<Row>> {
    const client = this.#client
    if (client === null) throw new NotConnectedError()
    try {
      return await client.query<Row>(query)
    } catch (error) {
      // A full disk fails the statement and leaves the session as it was.
      const isShort = shortageOf(error) !== null && !endsSession(error)
      if (isUnavailable(error) && !isShort) this.#lost(client, error)
      throw error
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    const client = this.#client
    this.#client = null
    await client?.end()
  }

  async #connect(): Promise<void> {
    const { connection, thread, exclusive, log } = this.#options
    const name = `bellwire writer ${thread}`
    const client = new pg.Client({ ...clientConfig(connection, { name }), pipeline: true })
    client.on('error', (error) => this.#lost(client, error))
    client.on('end', () => this.#lost(client, new Error('Connection ended')))
    try {
      await client.connect()
      if (exclusive) await takeOver(client, thread)
    } catch (error) {
      log.warn({ error: String(error), thread }, 'database not reachable, trying again')
      // The first reason is logged; a half-open connection may refuse to end cleanly.
      void client.end().catch((reason: unknown) => log.debug({ reason: String(reason) }, 'no end'))
      this.#reconnectLater()
      return
    }
    if (this.#closed) {
      await client.end()
      return
    }
    this.#client = client
    this.#retryMs = FIRST_RETRY_MS
    log.debug({ thread }, 'database connected')
    for (const listener of this.#upListeners) listener()
  }

  #lost(client: pg.Client, error: unknown): void {
    if (this.#client !== client) return
    this.#client = null
    if (this.#closed) return
    this.#options.log.warn({ error: String(error), thread: this.#options.thread }, 'database lost')
    // Ends the socket for good, so that every query under way is answered.
    void client
      .end()
      .catch((reason: unknown) => this.#options.log.debug({ reason: String(reason) }, 'no end'))
    this.#reconnectLater()
  }

  #reconnectLater(): void {
    if (this.#closed || this.#retry !== null) return
    this.#retry = setTimeout(() => {
      this.#retry = null
      void this.#connect()
    }, this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
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
