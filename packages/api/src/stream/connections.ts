/**
 * Every open connection of this process, by number, and how deliveries reach them. Main thread.
 * Connections that are being opened wait in opening.ts until their shard has answered.
 */
import type { ConnectionNumber, MessageDelivery, UserId } from '@bellwire/common'
import type { StreamDelivery } from '../delivery/delivery-pump.ts'
import type { ShardRouter } from '../shards/shard-router.ts'
import type { Connection, ConnectionHost, StreamLimits } from './connection.ts'

export interface StreamMeter {
  channelBufferUsed(): void
  catchUpStarted(): void
  framesSent(count: number): void
}

export class Connections implements ConnectionHost {
  readonly limits: StreamLimits
  readonly #router: ShardRouter
  readonly #meter: StreamMeter
  readonly #open = new Map<ConnectionNumber, Connection>()
  /** Second of the last pings. */
  #pingedUntil = 0

  constructor(limits: StreamLimits, router: ShardRouter, meter: StreamMeter) {
    this.limits = limits
    this.#router = router
    this.#meter = meter
  }

  get size(): number {
    return this.#open.size
  }

  has(number: ConnectionNumber): boolean {
    return this.#open.has(number)
  }

  /** Takes a connection whose shard has answered; `behind` starts its catch-up. */
  add(connection: Connection, behind: boolean): void {
    this.#open.set(connection.number, connection)
    if (behind) connection.fallBehind(this)
  }

  /** The socket is gone. */
  remove(connection: Connection): void {
    if (!this.#open.delete(connection.number)) return
    const { number, userId } = connection
    this.#router.send({ kind: 'unsubscribe', connection: number, userId })
  }

  deliver(delivery: Exclude<StreamDelivery, { kind: 'subscribed' | 'refused' | 'canary' }>): void {
    switch (delivery.kind) {
      case 'message':
        return this.#deliverMessage(delivery)
      case 'page-row':
        this.#open.get(delivery.connection)?.pageRow(delivery.messageId, delivery.frame)
        this.#meter.framesSent(1)
        return
      case 'page-end':
        return this.#open.get(delivery.connection)?.pageEnd(this, delivery.atHead)
      case 'close':
        for (const number of delivery.connections) this.#open.get(number)?.cut()
    }
  }

  /** A shard's worker was restarted: its connections go on from their cursors. */
  resubscribe(belongs: (userId: UserId) => boolean): void {
    for (const connection of this.#open.values()) {
      if (!belongs(connection.userId)) continue
      const { number, userId, clientId, cursor } = connection
      connection.suspend()
      this.#router.send({
        kind: 'subscribe',
        connection: number,
        userId,
        clientId,
        after: cursor,
        resume: true,
      })
    }
  }

  /** The shard has taken a connection again. */
  resumed(number: ConnectionNumber, behind: boolean): void {
    const connection = this.#open.get(number)
    if (connection === undefined) return
    if (behind) connection.fallBehind(this)
    else connection.pageEnd(this, true)
  }

  /**
   * Pings each connection once in `periodSeconds`, however many open or close meanwhile: its number
   * says in which second. Call it about every second; seconds that were missed are made up for.
   * @param now milliseconds of a clock that never goes back
   */
  pingDue(periodSeconds: number, now: number): void {
    const second = Math.floor(now / 1_000)
    const due = Math.min(periodSeconds, second - this.#pingedUntil)
    for (const connection of this.#open.values()) {
      const ago = (second - connection.number) % periodSeconds
      if ((ago + periodSeconds) % periodSeconds < due) connection.ping()
    }
    this.#pingedUntil = second
  }

  all(): IterableIterator<Connection> {
    return this.#open.values()
  }

  requestPage({ number, userId, cursor }: Connection): void {
    this.#meter.catchUpStarted()
    this.#router.send({ kind: 'catch-up', connection: number, userId, cursor })
  }

  channelBufferUsed(): void {
    this.#meter.channelBufferUsed()
  }

  #deliverMessage({ connections, messageId, frame }: MessageDelivery): void {
    let copy: Uint8Array | null = null
    // One copy however many connections keep it; most often none does.
    const keep = (): Uint8Array => (copy ??= Uint8Array.from(frame))
    for (const number of connections) {
      this.#open.get(number)?.deliver(this, messageId, frame, keep)
    }
    this.#meter.framesSent(connections.length)
  }
}
