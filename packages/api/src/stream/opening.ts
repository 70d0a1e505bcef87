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

/** Told of an upgrade that is given up while its shard may have registered it, or still will. */
export type GiveUp = (number: ConnectionNumber, userId: UserId) => void

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
  readonly #giveUp: GiveUp
  #last = 0

  constructor(giveUp: GiveUp) {
    this.#giveUp = giveUp
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

  /** The client or user behind these connections was deleted while they were being opened. */
  revoked(numbers: readonly ConnectionNumber[]): void {
    for (const number of numbers) {
      this.#fail(number, new PushError('UNAUTHENTICATED', 'the client was deleted'))
    }
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
      this.#fail(number, new PushError('OVERLOADED', 'no answer in time, try again'))
    }
  }

  #fail(number: ConnectionNumber, error: PushError): void {
    const opening = this.#take(number)
    if (opening === undefined) return
    this.#giveUp(number, opening.userId)
    opening.refused(error)
  }

  #take(number: ConnectionNumber): Opening | undefined {
    const entry = this.#entries.get(number)
    this.#entries.delete(number)
    return entry?.opening
  }
}
