/**
 * A connection of its own that listens to one channel of PostgreSQL's NOTIFY and comes back by
 * itself after a break. Hints between shard workers and news between gateways travel by it; both
 * have a poll behind it, so what is lost here is found late and never missed.
 */
import pg from 'pg'
import { clientConfig } from './connect.ts'
import type { DatabaseConnection } from './connection.ts'

const RETRY_MS = 500

export interface NotificationsOptions {
  readonly connection: DatabaseConnection
  /** Shown in pg_stat_activity. */
  readonly name: string
  readonly channel: string
  readonly heard: (payload: string) => void
  /** Connected, for the first time or again: what was sent before may have been missed. */
  readonly connected: () => void
  /** Told why there is no connection. */
  readonly lost: (error: unknown) => void
}

export class Notifications {
  readonly #options: NotificationsOptions
  #client: pg.Client | null = null
  #retry: NodeJS.Timeout | null = null
  #closed = false

  /** Connects in the background. */
  constructor(options: NotificationsOptions) {
    this.#options = options
    void this.#connect()
  }

  get isUp(): boolean {
    return this.#client !== null
  }

  /** Runs a statement on the listening connection. @throws {Error} what `pg` says. */
  async query<Row extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<readonly Row[]> {
    if (this.#client === null) throw new Error('Connection terminated: not connected yet')
    const { rows } = await this.#client.query<Row>(query)
    return rows
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    const client = this.#client
    this.#client = null
    await client?.end()
  }

  async #connect(): Promise<void> {
    const { connection, name, channel, heard, connected } = this.#options
    const client = new pg.Client(clientConfig(connection, { name }))
    client.on('error', (error) => this.#lost(client, error))
    client.on('end', () => this.#lost(client, new Error('Connection ended')))
    client.on('notification', (notification) => heard(notification.payload ?? ''))
    try {
      await client.connect()
      await client.query(`listen ${channel}`)
    } catch (error) {
      // A half-open connection may refuse to end cleanly; the reason that counts is told.
      client.end().catch(() => undefined)
      this.#options.lost(error)
      this.#reconnectLater()
      return
    }
    if (this.#closed) {
      client.end().catch(() => undefined)
      return
    }
    this.#client = client
    connected()
  }

  #lost(client: pg.Client, error: unknown): void {
    if (this.#client !== client) return
    this.#client = null
    if (this.#closed) return
    this.#options.lost(error)
    this.#reconnectLater()
  }

  #reconnectLater(): void {
    if (this.#closed || this.#retry !== null) return
    this.#retry = setTimeout(() => {
      this.#retry = null
      void this.#connect()
    }, RETRY_MS)
  }
}
