/**
 * The subscribers of one agent: opens them with a bounded number of upgrades under way, counts what they
 * receive, and checks on every frame that ids of one socket only grow.
 */
import type { Histogram } from 'hdr-histogram-js'
import { encodeHistogram, newHistogram, record } from '../stats/latency.ts'
import { nowUs } from '../wire/clock.ts'
import { Subscriber, type SubscriberEvents } from '../wire/subscriber.ts'
import type { DeliveryResult, OpenCommand, OpenResult, ReconnectCommand } from './commands.ts'
import { eager, patient, type OpenPolicy } from './open-policy.ts'

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
    const policy = eager(command.concurrency)
    return this.#openAll(command, first, command.count, policy, () => undefined)
  }

  async reconnect(command: ReconnectCommand): Promise<OpenResult> {
    this.drop()
    return this.#openAgain(eager(command.concurrency), command.floorId)
  }

  async return(floorId: number): Promise<OpenResult> {
    return this.#openAgain(patient(), floorId)
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

  /** Ends every socket and keeps its last id. */
  drop(): void {
    // forEach, because it leaves out those that wait for their first attempt.
    this.#subscribers.forEach((subscriber) => subscriber.close())
  }

  close(): void {
    this.drop()
    this.#subscribers = []
  }

  #openAgain(policy: OpenPolicy, floorId: number): Promise<OpenResult> {
    if (this.#origin === null) throw new Error('Cannot reconnect before "open"')
    const old = this.#subscribers
    this.#subscribers = []
    return this.#openAll(this.#origin, 0, old.length, policy, (index) =>
      Math.max(floorId, old[index]?.lastId ?? 0),
    )
  }

  /** Resolves when every socket is open or was given up. */
  #openAll(
    origin: OpenCommand,
    first: number,
    count: number,
    policy: OpenPolicy,
    afterOf: (index: number) => number | undefined,
  ): Promise<OpenResult> {
    const handshake = newHistogram()
    const startedUs = nowUs()
    let next = 0
    let opened = 0
    let refused = 0
    let overloaded = 0
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
          refused: (reason, retryAfterSeconds) => {
            refused += 1
            if (reason.startsWith('HTTP/1.1 503')) overloaded += 1
            firstRefusal ||= reason
            if (attempt < policy.attempts) {
              setTimeout(
                () => start(index, attempt + 1),
                policy.pauseMs(attempt, retryAfterSeconds),
              )
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
          const index = first + next++
          const pauseMs = policy.pauseMs(0, null)
          if (pauseMs === 0) start(index, 1)
          else setTimeout(() => start(index, 1), pauseMs)
        } else if (opened + given === count) {
          resolve({
            ...{ opened, refused, overloaded, firstRefusal },
            seconds: (nowUs() - startedUs) / 1e6,
            handshake: encodeHistogram(handshake),
          })
        }
      }
      if (count === 0) proceed()
      for (let i = 0; i < Math.min(policy.concurrency, count); i += 1) proceed()
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
