/**
 * The subscribers of one agent: opens them with a bounded number of upgrades under way, counts what they
 * receive, and checks on every frame that ids of one socket only grow.
 */
import type { Histogram } from 'hdr-histogram-js'
import { encodeHistogram, newHistogram, record } from '../stats/latency.ts'
import { nowUs } from '../wire/clock.ts'
import { Subscriber, type SubscriberEvents } from '../wire/subscriber.ts'
import type { DeliveryResult, OpenCommand, OpenResult, ReconnectCommand } from './commands.ts'

const MAX_ATTEMPTS_A_SOCKET = 5

export class SubscriberPool {
  #subscribers: Subscriber[] = []
  #origin: OpenCommand | null = null
  #latency: Histogram = newHistogram()
  #recordFromUs = 0
  #frames = 0
  #recorded = 0
  #outOfOrder = 0
  #lost = 0
  #lastFrameUs = 0

  async open(command: OpenCommand): Promise<OpenResult> {
    this.#origin = command
    const first = this.#subscribers.length
    return this.#openAll(command, first, command.count, command.concurrency, () => undefined)
  }

  async reconnect(command: ReconnectCommand): Promise<OpenResult> {
    if (this.#origin === null) throw new Error('Cannot reconnect before "open"')
    const old = this.#subscribers
    for (const subscriber of old) subscriber.close()
    this.#subscribers = []
    return this.#openAll(this.#origin, 0, old.length, command.concurrency, (index) =>
      Math.max(command.floorId, old[index]?.lastId ?? 0),
    )
  }

  resetDeliveries(fromUs: number): void {
    this.#latency = newHistogram()
    this.#recordFromUs = fromUs
    this.#frames = 0
    this.#recorded = 0
    this.#outOfOrder = 0
    this.#lost = 0
    this.#lastFrameUs = 0
  }

  readDeliveries(): DeliveryResult {
    return {
      frames: this.#frames,
      recorded: this.#recorded,
      outOfOrder: this.#outOfOrder,
      lost: this.#lost,
      open: this.#subscribers.filter((subscriber) => subscriber.isOpen).length,
      lastFrameUs: this.#lastFrameUs,
      latency: encodeHistogram(this.#latency),
    }
  }

  pause(): void {
    for (const subscriber of this.#subscribers) subscriber.pause()
  }

  resume(): void {
    for (const subscriber of this.#subscribers) subscriber.resume()
  }

  close(): void {
    for (const subscriber of this.#subscribers) subscriber.close()
    this.#subscribers = []
  }

  /** Resolves when every socket is open or was refused `MAX_ATTEMPTS_A_SOCKET` times. */
  #openAll(
    origin: OpenCommand,
    first: number,
    count: number,
    concurrency: number,
    afterOf: (index: number) => number | undefined,
  ): Promise<OpenResult> {
    const handshake = newHistogram()
    const startedUs = nowUs()
    let next = 0
    let opened = 0
    let refused = 0
    let given = 0
    let firstRefusal = ''
    return new Promise((resolve) => {
      const start = (index: number, attempt: number): void => {
        const events: SubscriberEvents = {
          opened: (microseconds) => {
            record(handshake, microseconds)
            opened += 1
            proceed()
          },
          refused: (reason) => {
            refused += 1
            firstRefusal ||= reason
            if (attempt < MAX_ATTEMPTS_A_SOCKET) {
              setTimeout(() => start(index, attempt + 1), 100 * attempt)
            } else {
              given += 1
              proceed()
            }
          },
          received: (stampUs, inOrder) => this.#received(stampUs, inOrder),
          lost: () => {
            this.#lost += 1
          },
        }
        const token = origin.tokens[index % origin.tokens.length] ?? ''
        const address = origin.localAddresses[index % Math.max(1, origin.localAddresses.length)]
        this.#subscribers[index] = new Subscriber(
          origin.target,
          token,
          address,
          events,
          afterOf(index),
        )
      }
      const proceed = (): void => {
        if (next < count) {
          start(first + next++, 1)
        } else if (opened + given === count) {
          const seconds = (nowUs() - startedUs) / 1e6
          resolve({ opened, refused, firstRefusal, seconds, handshake: encodeHistogram(handshake) })
        }
      }
      if (count === 0) proceed()
      for (let i = 0; i < Math.min(concurrency, count); i += 1) proceed()
    })
  }

  #received(stampUs: number, inOrder: boolean): void {
    const arrivedUs = nowUs()
    this.#frames += 1
    this.#lastFrameUs = arrivedUs
    if (!inOrder) this.#outOfOrder += 1
    if (stampUs === 0 || stampUs < this.#recordFromUs) return
    this.#recorded += 1
    record(this.#latency, arrivedUs - stampUs)
  }
}
