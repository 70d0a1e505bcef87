/**
 * The way back to the gateway: writes deliveries into the lanes of this thread's shards. When a
 * lane is full the rest waits here, in order, and the thread is saturated: it takes no more
 * commands until there is room, so the pressure reaches the publishers as 503.
 */
import { writeDelivery, type Delivery, type RecordWriter } from '@bellwire/common'

export interface DeliveryLanes {
  deliveryWriter(shard: number): RecordWriter
  markDelivery(shard: number): void
  /** Wakes the gateway if it sleeps. */
  ringGateway(): void
}

/** How long a full lane is left alone: the gateway needs about this to empty it. Milliseconds. */
const RETRY_MS = 1

export class Outbox {
  readonly #lanes: DeliveryLanes
  readonly #waiting: { readonly shard: number; readonly delivery: Delivery }[] = []
  #roomListeners: (() => void)[] = []
  #retry: NodeJS.Timeout | null = null
  #closed = false

  constructor(lanes: DeliveryLanes) {
    this.#lanes = lanes
  }

  get saturated(): boolean {
    return this.#waiting.length > 0
  }

  /** Keeps the order of all calls. */
  write(shard: number, delivery: Delivery): void {
    if (this.#waiting.length === 0 && this.#tryWrite(shard, delivery)) return
    this.#waiting.push({ shard, delivery: frozen(delivery) })
    this.#retryLater()
  }

  /** Wakes the gateway for what was written; call it once after a group of writes. */
  ring(): void {
    this.#lanes.ringGateway()
  }

  /** Resolves when nothing waits. */
  room(): Promise<void> {
    if (!this.saturated) return Promise.resolve()
    return new Promise((resolve) => this.#roomListeners.push(resolve))
  }

  /** Tries what waits; called by the timer, and by hand in the simulation. */
  retry(): void {
    let written = 0
    for (const { shard, delivery } of this.#waiting) {
      if (!this.#tryWrite(shard, delivery)) break
      written++
    }
    this.#waiting.splice(0, written)
    if (written > 0) this.ring()
    if (this.saturated) {
      this.#retryLater()
      return
    }
    const listeners = this.#roomListeners
    this.#roomListeners = []
    for (const resolve of listeners) resolve()
  }

  close(): void {
    this.#closed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
  }

  #tryWrite(shard: number, delivery: Delivery): boolean {
    if (!writeDelivery(this.#lanes.deliveryWriter(shard), delivery)) return false
    this.#lanes.markDelivery(shard)
    return true
  }

  #retryLater(): void {
    if (this.#retry !== null || this.#closed) return
    this.#retry = setTimeout(() => {
      this.#retry = null
      this.retry()
    }, RETRY_MS)
  }
}

/** The list of connections is the user's own and changes; what waits must name those of now. */
function frozen(delivery: Delivery): Delivery {
  if (!('connections' in delivery)) return delivery
  return { ...delivery, connections: [...delivery.connections] }
}
