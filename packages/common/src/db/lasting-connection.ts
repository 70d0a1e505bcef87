/**
 * One connection of its own that comes back by itself after a break: what commits messages and what
 * listens for notifications is built on it. On the thread of its owner. What is lost with a break is
 * the owner's to know.
 */
import pg from 'pg'
import { clientConfig } from './connect.ts'
import type { DatabaseConnection } from './connection.ts'

export interface LastingConnectionOptions {
  readonly connection: DatabaseConnection
  /** Shown in pg_stat_activity. */
  readonly name: string
  /** True: a statement is sent while the one before it is under way. @default false */
  readonly pipeline?: boolean
  /** Milliseconds before the first new attempt, and the most that doubling makes of it. */
  readonly retryMs: readonly [first: number, last: number]
  /** Makes a new session fit for use; it counts as a failed attempt when this fails. */
  readonly prepare: (client: pg.Client) => Promise<void>
  /** Connected, for the first time or again. */
  readonly connected: () => void
  /** Told why there is no connection: it broke, or an attempt failed. */
  readonly lost: (error: unknown, how: 'broke' | 'attempt') => void
}

export class LastingConnection {
  readonly #options: LastingConnectionOptions
  #client: pg.Client | null = null
  #closed = false
  #retry: NodeJS.Timeout | null = null
  #retryMs: number

  constructor(options: LastingConnectionOptions) {
    this.#options = options
    this.#retryMs = options.retryMs[0]
  }

  /** Null while there is no connection. */
  get client(): pg.Client | null {
    return this.#client
  }

  /** Connects, now and after every break; resolves after the first attempt, whatever came of it. */
  async start(): Promise<void> {
    const { connection, name, pipeline = false, retryMs } = this.#options
    const client = new pg.Client({ ...clientConfig(connection, { name }), pipeline })
    client.on('error', (error) => this.giveUp(client, error))
    client.on('end', () => this.giveUp(client, new Error('Connection ended')))
    try {
      await client.connect()
      await this.#options.prepare(client)
    } catch (error) {
      end(client)
      if (!this.#closed) this.#options.lost(error, 'attempt')
      this.#startLater()
      return
    }
    if (this.#closed) {
      await client.end()
      return
    }
    this.#client = client
    this.#retryMs = retryMs[0]
    this.#options.connected()
  }

  /** Ends this session, so that every query under way is answered, and connects anew. */
  giveUp(client: pg.Client, error: unknown): void {
    if (this.#client !== client) return
    this.#client = null
    end(client)
    this.#options.lost(error, 'broke')
    this.#startLater()
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    const client = this.#client
    this.#client = null
    await client?.end()
  }

  #startLater(): void {
    if (this.#closed || this.#retry !== null) return
    this.#retry = setTimeout(() => {
      this.#retry = null
      void this.start()
    }, this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, this.#options.retryMs[1])
  }
}

/** A half-open connection may refuse to end cleanly; the reason that counts is told already. */
function end(client: pg.Client): void {
  client.end().catch(() => undefined)
}
