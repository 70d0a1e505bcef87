/**
 * Hints over NATS, for clusters whose database should carry no notifications. A server that is
 * away stops nothing: it is looked for again and again, and the slow poll finds the messages
 * meanwhile. Runs on the worker's thread.
 */
import type { Logger, UserId } from '@bellwire/common'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { randomUUID } from 'node:crypto'
import { encodeHints, readHints, type HintBus, type HintListener } from './hint-bus.ts'

const SUBJECT = 'bellwire.hints'
const RETRY_MS = 500
/** Hints gather so long before they are sent: a busy thread sends few big ones. Milliseconds. */
const GATHER_MS = 1

export class NatsHintBus implements HintBus {
  readonly #url: string
  readonly #log: Logger
  readonly #origin = randomUUID()
  #connection: NatsConnection | null = null
  #listener: HintListener | null = null
  #heads = new Map<UserId, number>()
  #gathering: NodeJS.Timeout | null = null
  #retry: NodeJS.Timeout | null = null
  #closed = false

  /** @param url `nats://[user:password@]host:port` */
  constructor(url: string, log: Logger) {
    this.#url = url
    this.#log = log
    void this.#connect()
  }

  listen(listener: HintListener): void {
    this.#listener = listener
  }

  tell(userId: UserId, messageId: number): void {
    this.#heads.set(userId, messageId)
    this.#gathering ??= setTimeout(() => this.#send(), GATHER_MS)
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    if (this.#gathering !== null) clearTimeout(this.#gathering)
    await this.#connection?.close()
  }

  #send(): void {
    this.#gathering = null
    const heads = this.#heads
    this.#heads = new Map()
    if (this.#connection === null) return
    for (const text of encodeHints(this.#origin, heads)) {
      try {
        this.#connection.publish(SUBJECT, text)
      } catch (error) {
        this.#log.debug({ error: String(error) }, 'hints were lost')
      }
    }
  }

  async #connect(): Promise<void> {
    try {
      const connection = await connect(connectOptions(this.#url))
      this.#connection = connection
      void this.#watch(connection)
      connection.subscribe(SUBJECT, {
        callback: (error, message) => {
          if (error === null && this.#listener !== null) {
            readHints(this.#origin, message.string(), this.#listener)
          }
        },
      })
      // From here on the server has the subscription.
      await connection.flush()
      this.#listener?.gap()
    } catch (error) {
      this.#lost(error)
    }
  }

  /** Resolves with the connection's end; the client itself takes up a broken one. */
  async #watch(connection: NatsConnection): Promise<void> {
    void connection.closed().then((error) => this.#lost(error ?? new Error('Connection ended')))
    for await (const { type } of connection.status()) {
      if (type === 'reconnect') this.#listener?.gap()
      else if (type === 'disconnect') this.#log.debug('connection to NATS lost')
    }
  }

  #lost(error: unknown): void {
    this.#connection = null
    if (this.#closed || this.#retry !== null) return
    this.#log.debug({ error: String(error) }, 'no connection to NATS')
    this.#retry = setTimeout(() => {
      this.#retry = null
      void this.#connect()
    }, RETRY_MS)
  }
}

function connectOptions(url: string): Parameters<typeof connect>[0] {
  const { host, username, password } = new URL(url)
  return {
    servers: host,
    name: 'bellwire hints',
    noEcho: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RETRY_MS,
    ...(username !== '' && {
      user: decodeURIComponent(username),
      pass: decodeURIComponent(password),
    }),
  }
}
