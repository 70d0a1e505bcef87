/**
 * Hints over PostgreSQL's NOTIFY, on a connection of their own: a notification inside the insert's
 * transaction would put a lock around every commit. Runs on the worker's thread.
 */
import type { Logger, UserId } from '@bellwire/common'
import { clientConfig, type DatabaseConnection } from '@bellwire/common/db'
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { encodeHints, readHints, type HintBus, type HintListener } from './hint-bus.ts'

const CHANNEL = 'bellwire_hints'
const RETRY_MS = 500

export class PgHintBus implements HintBus {
  readonly #connection: DatabaseConnection
  readonly #log: Logger
  readonly #origin = randomUUID()
  #client: pg.Client | null = null
  #listener: HintListener | null = null
  #heads = new Map<UserId, number>()
  #sending = false
  #closed = false
  #retry: NodeJS.Timeout | null = null

  constructor(connection: DatabaseConnection, log: Logger) {
    this.#connection = connection
    this.#log = log
    void this.#connect()
  }

  listen(listener: HintListener): void {
    this.#listener = listener
  }

  tell(userId: UserId, messageId: number): void {
    this.#heads.set(userId, messageId)
    if (!this.#sending) void this.#send()
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    const client = this.#client
    this.#client = null
    await client?.end()
  }

  /** One batch of hints at a time: what is told meanwhile goes into the next one. */
  async #send(): Promise<void> {
    this.#sending = true
    while (this.#heads.size > 0 && this.#client !== null) {
      const texts = encodeHints(this.#origin, this.#heads)
      this.#heads = new Map()
      try {
        await this.#client.query({
          name: 'tell-hints',
          text: `select pg_notify('${CHANNEL}', hint) from unnest($1::text[]) as hint`,
          values: [texts],
        })
      } catch (error) {
        this.#log.debug({ error: String(error) }, 'hints were lost')
      }
    }
    // Without a connection there is nobody to tell: the poll of the others finds the messages.
    if (this.#client === null) this.#heads.clear()
    this.#sending = false
  }

  async #connect(): Promise<void> {
    const client = new pg.Client(clientConfig(this.#connection, { name: 'bellwire hints' }))
    client.on('error', (error) => this.#lost(client, error))
    client.on('end', () => this.#lost(client, new Error('Connection ended')))
    client.on('notification', ({ channel, payload }) => {
      if (channel === CHANNEL && this.#listener !== null) {
        readHints(this.#origin, payload ?? '', this.#listener)
      }
    })
    try {
      await client.connect()
      await client.query(`listen ${CHANNEL}`)
    } catch (error) {
      this.#log.debug({ error: String(error) }, 'no connection for hints')
      this.#reconnectLater()
      return
    }
    if (this.#closed) {
      await client.end()
      return
    }
    this.#client = client
    this.#listener?.gap()
  }

  #lost(client: pg.Client, error: unknown): void {
    if (this.#client !== client) return
    this.#client = null
    this.#log.debug({ error: String(error) }, 'connection for hints lost')
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
