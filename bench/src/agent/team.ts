/**
 * The agents of one visit to a server: enough subscriber processes that none holds more sockets than a process may
 * have files, and one publisher process. Adds their figures up.
 */
import type { Histogram } from 'hdr-histogram-js'
import { mergeEncoded } from '../stats/latency.ts'
import { nowUs, sleep } from '../wire/clock.ts'
import type { Target } from '../wire/subscriber.ts'
import { AgentHandle } from './agent-handle.ts'
import type { DeliveryResult, OpenResult, PublishCommand, PublishResult } from './commands.ts'

/** Below the usual limit of 20,000 open files, with room for the rest of a process. */
const SOCKETS_AN_AGENT = 10_000
const UPGRADES_UNDER_WAY = 256

export interface Opened {
  readonly opened: number
  readonly refused: number
  readonly firstRefusal: string
  readonly seconds: number
  readonly handshake: Histogram
}

export interface Deliveries {
  readonly frames: number
  readonly recorded: number
  readonly outOfOrder: number
  readonly lost: number
  readonly open: number
  readonly lastFrameUs: number
  readonly latency: Histogram
}

export type PublishOrder = Omit<PublishCommand, 'kind' | 'target'>

export class Team {
  readonly #target: Target
  readonly #publishers = [new AgentHandle()]
  readonly #subscribers: AgentHandle[] = []

  constructor(target: Target) {
    this.#target = target
  }

  /** Opens `count` sockets more, spread over the subscriber processes, token i for socket i of a process. */
  async open(count: number, tokens: readonly string[]): Promise<Opened> {
    const agents = Math.max(1, Math.ceil(count / SOCKETS_AN_AGENT))
    while (this.#subscribers.length < agents) this.#subscribers.push(new AgentHandle())
    const share = Math.ceil(count / this.#subscribers.length)
    const results = await Promise.all(
      this.#subscribers.map((agent, index) =>
        agent.send<'open'>({
          kind: 'open',
          target: this.#target,
          tokens: rotate(tokens, index * share),
          count: Math.min(share, Math.max(0, count - index * share)),
          concurrency: Math.ceil(UPGRADES_UNDER_WAY / this.#subscribers.length),
          localAddresses: this.#target.host === '127.0.0.1' ? [agent.localAddress] : [],
        }),
      ),
    )
    return addUpOpened(results)
  }

  /** Ends every socket at one moment and opens it again with no bound but the server's. */
  async reconnect(floorId: number): Promise<Opened> {
    return addUpOpened(
      await Promise.all(
        this.#subscribers.map((agent) =>
          agent.send<'reconnect'>({ kind: 'reconnect', concurrency: 4096, floorId }),
        ),
      ),
    )
  }

  publish(order: PublishOrder): Promise<PublishResult> {
    return this.#publisher(0).send<'publish'>({ kind: 'publish', target: this.#target, ...order })
  }

  /** A second stream of messages beside `publish`, from a process of its own. */
  publishBeside(order: PublishOrder): Promise<PublishResult> {
    return this.#publisher(1).send<'publish'>({ kind: 'publish', target: this.#target, ...order })
  }

  async resetDeliveries(fromUs: number): Promise<void> {
    const command = { kind: 'reset-deliveries', fromUs } as const
    await Promise.all(this.#subscribers.map((agent) => agent.send<'reset-deliveries'>(command)))
  }

  async readDeliveries(): Promise<Deliveries> {
    const results = await Promise.all(
      this.#subscribers.map((agent) => agent.send<'read-deliveries'>({ kind: 'read-deliveries' })),
    )
    const sum = (pick: (result: DeliveryResult) => number): number =>
      results.reduce((total, result) => total + pick(result), 0)
    return {
      frames: sum((result) => result.frames),
      recorded: sum((result) => result.recorded),
      outOfOrder: sum((result) => result.outOfOrder),
      lost: sum((result) => result.lost),
      open: sum((result) => result.open),
      lastFrameUs: Math.max(0, ...results.map((result) => result.lastFrameUs)),
      latency: mergeEncoded(results.map((result) => result.latency)),
    }
  }

  /** Waits until `frames` have arrived or nothing new came for `patienceMs`, and reads what there is. */
  async awaitDeliveries(frames: number, patienceMs: number): Promise<Deliveries> {
    let seen = await this.readDeliveries()
    let changedUs = nowUs()
    while (seen.frames < frames && nowUs() - changedUs < patienceMs * 1000) {
      await sleep(100)
      const next = await this.readDeliveries()
      if (next.frames !== seen.frames) changedUs = nowUs()
      seen = next
    }
    return seen
  }

  async pause(): Promise<void> {
    await Promise.all(this.#subscribers.map((agent) => agent.send<'pause'>({ kind: 'pause' })))
  }

  async resume(): Promise<void> {
    await Promise.all(this.#subscribers.map((agent) => agent.send<'resume'>({ kind: 'resume' })))
  }

  async close(): Promise<void> {
    await Promise.all(this.#subscribers.map((agent) => agent.send<'close'>({ kind: 'close' })))
  }

  /** Ends all agents; the team is done. */
  async stop(): Promise<void> {
    await Promise.all([...this.#publishers, ...this.#subscribers].map((agent) => agent.stop()))
  }

  #publisher(index: number): AgentHandle {
    const agent = this.#publishers[index] ?? new AgentHandle()
    this.#publishers[index] = agent
    return agent
  }
}

function rotate(tokens: readonly string[], by: number): string[] {
  const first = by % tokens.length
  return [...tokens.slice(first), ...tokens.slice(0, first)]
}

function addUpOpened(results: readonly OpenResult[]): Opened {
  return {
    opened: results.reduce((total, result) => total + result.opened, 0),
    refused: results.reduce((total, result) => total + result.refused, 0),
    firstRefusal: results.map((result) => result.firstRefusal).find((text) => text !== '') ?? '',
    seconds: Math.max(...results.map((result) => result.seconds)),
    handshake: mergeEncoded(results.map((result) => result.handshake)),
  }
}
