/**
 * Listens to one channel of PostgreSQL's NOTIFY. Hints between shard workers and news between
 * gateways travel by it; both have a poll behind it, so what is lost here is found late and never
 * missed.
 */
import type pg from 'pg'
import type { DatabaseConnection } from './connection.ts'
import { LastingConnection } from './lasting-connection.ts'

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
  readonly #session: LastingConnection

  /** Connects in the background. */
  constructor({ channel, heard, ...options }: NotificationsOptions) {
    this.#session = new LastingConnection({
      ...options,
      retryMs: [RETRY_MS, RETRY_MS],
      async prepare(client) {
        client.on('notification', (notification) => heard(notification.payload ?? ''))
        await client.query(`listen ${channel}`)
      },
    })
    void this.#session.start()
  }

  get isUp(): boolean {
    return this.#session.client !== null
  }

  /** Runs a statement on the listening connection. @throws {Error} what `pg` says. */
  async query<Row extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<readonly Row[]> {
    const { client } = this.#session
    if (client === null) throw new Error('Connection terminated: not connected yet')
    const { rows } = await client.query<Row>(query)
    return rows
  }

  close(): Promise<void> {
    return this.#session.close()
  }
}
