/**
 * Upgrades that wait until their shard has registered them: registered first, then answered, so
 * that no message falls between. Main thread.
 */
import {
  PushError,
  type ConnectionNumber,
  type RefusedDelivery,
  type SubscribedDelivery,
  type UserId,
} from '@bellwire/common'

/** One waiting upgrade; one of the two is called, once. */
export interface Opening {
  readonly userId: UserId
  registered(delivery: SubscribedDelivery): void
  refused(error: PushError): void
}

interface Entry {
  readonly opening: Opening
  readonly deadline: number
}

/** Below the 30 s in which every request is answered. */
const DEADLINE_MS = 25_000

export class Openings {
  /** In the order of their deadlines, which is the order of insertion. */
  readonly #entries = new Map<ConnectionNumber, Entry>()
  readonly #sweep: NodeJS.Timeout
  #last = 0

  constructor() {
    this.#sweep = setInterval(() => this.#expire(Date.now()), 1_000)
    this.#sweep.unref()
  }

  get size(): number {
    return this.#entries.size
  }

  /** Gives the upgrade the number that its connection will have. */
  add(opening: Opening, isTaken: (number: ConnectionNumber) => boolean): ConnectionNumber {
    let number: ConnectionNumber
    do {
      this.#last = (this.#last + 1) >>> 0
      number = this.#last as ConnectionNumber
    } while (this.#entries.has(number) || isTaken(number))
    this.#entries.set(number, { opening, deadline: Date.now() + DEADLINE_MS })
    return number
  }

  /** The client has gone before the answer. @returns true when it was still waiting. */
  drop(number: ConnectionNumber): boolean {
    return this.#entries.delete(number)
  }

  /** @returns false when nobody waits under this number. */
  registered(delivery: SubscribedDelivery): boolean {
    const opening = this.#take(delivery.connection)
    opening?.registered(delivery)
    return opening !== undefined
  }

  refused({ connection, code, description }: RefusedDelivery): void {
    this.#take(connection)?.refused(new PushError(code, description))
  }

  /** The worker that should have answered died. */
  failFor(belongs: (userId: UserId) => boolean): void {
    for (const [number, { opening }] of this.#entries) {
      if (!belongs(opening.userId)) continue
      this.#take(number)?.refused(
        new PushError('SHARD_RESTARTED', 'the shard was restarted, try again'),
      )
    }
  }

  close(): void {
    clearInterval(this.#sweep)
  }

  #expire(now: number): void {
    for (const [number, { deadline }] of this.#entries) {
      if (deadline > now) return
      this.#take(number)?.refused(new PushError('OVERLOADED', 'no answer in time, try again'))
    }
  }

  #take(number: ConnectionNumber): Opening | undefined {
    const entry = this.#entries.get(number)
    this.#entries.delete(number)
    return entry?.opening
  }
}
