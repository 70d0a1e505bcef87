/**
 * Hints over PostgreSQL's NOTIFY, on a connection of their own: a notification inside the insert's
 * transaction would put a lock around every commit. Runs on the worker's thread.
 */
import type { Logger, UserId } from '@bellwire/common'
import { Notifications, type DatabaseConnection } from '@bellwire/common/db/postgres'
import { randomUUID } from 'node:crypto'
import { encodeHints, readHints, type HintBus, type HintListener } from './hint-bus.ts'

const CHANNEL = 'bellwire_hints'

const TELL = {
  name: 'tell-hints',
  text: `select pg_notify('${CHANNEL}', hint) from unnest($1::text[]) as hint`,
} as const

export class PgHintBus implements HintBus {
  readonly #log: Logger
  readonly #origin = randomUUID()
  readonly #notifications: Notifications
  #listener: HintListener | null = null
  #heads = new Map<UserId, number>()
  #sending = false

  constructor(connection: DatabaseConnection, log: Logger) {
    this.#log = log
    this.#notifications = new Notifications({
      connection,
      name: 'bellwire hints',
      channel: CHANNEL,
      heard: (text) => {
        if (this.#listener !== null) readHints(this.#origin, text, this.#listener)
      },
      connected: () => this.#listener?.gap(),
      lost: (error) => log.debug({ error: String(error) }, 'no connection for hints'),
    })
  }

  listen(listener: HintListener): void {
    this.#listener = listener
  }

  tell(userId: UserId, messageId: number): void {
    this.#heads.set(userId, messageId)
    if (!this.#sending) void this.#send()
  }

  close(): Promise<void> {
    return this.#notifications.close()
  }

  /** One batch of hints at a time: what is told meanwhile goes into the next one. */
  async #send(): Promise<void> {
    this.#sending = true
    while (this.#heads.size > 0 && this.#notifications.isUp) {
      const texts = encodeHints(this.#origin, this.#heads)
      this.#heads = new Map()
      try {
        await this.#notifications.query({ ...TELL, values: [texts] })
      } catch (error) {
        this.#log.debug({ error: String(error) }, 'hints were lost')
      }
    }
    // Without a connection there is nobody to tell: the poll of the others finds the messages.
    if (!this.#notifications.isUp) this.#heads.clear()
    this.#sending = false
  }
}
