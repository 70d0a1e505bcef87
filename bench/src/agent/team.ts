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

/** Far below the usual limit of 20,000 open files: a process with fewer sockets answers sooner. */
const SOCKETS_AN_AGENT = 5000
const UPGRADES_UNDER_WAY = 256
/** Time for publishers to connect before their first message is due. */
const LEAD_US = 300_000

export interface Opened extends Omit<OpenResult, 'handshake'> {
  readonly handshake: Histogram
}

export interface Deliveries extends Omit<DeliveryResult, 'latency'> {
  readonly latency: Histogram
}

export type PublishOrder = Omit<PublishCommand, 'kind' | 'target'>

export class Team {
  readonly #target: Target
  readonly #publishers = [new AgentHandle()]
  readonly #subscribers: AgentHandle[] = []
  readonly #socketsAnAgent: number
  #held = 0

  constructor(target: Target, socketsAnAgent = SOCKETS_AN_AGENT) {
    this.#target = target
    this.#socketsAnAgent = socketsAnAgent
  }

  /** Opens `count` sockets more, token i for socket i; fills one subscriber process after the other. */
  async open(count: number, tokens: readonly string[]): Promise<Opened> {
    const shares = this.#share(count)
    const results = await Promise.all(
      shares.map(({ agent, first, count: share }) =>
        agent.send<'open'>({
          kind: 'open',
          target: this.#target,
          tokens: rotate(tokens, first),
          count: share,
          concurrency: Math.ceil(UPGRADES_UNDER_WAY / shares.length),
          localAddresses: this.#target.host === '127.0.0.1' ? agent.localAddresses : [],
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

  /** Ends every socket, as if the network were gone; `return` brings them back. */
  async drop(): Promise<void> {
    await Promise.all(this.#subscribers.map((agent) => agent.send<'drop'>({ kind: 'drop' })))
  }

  /** Brings dropped sockets back as careful clients do; resolves when all are open. */
  async return(floorId: number): Promise<Opened> {
    const command = { kind: 'return', floorId } as const
    return addUpOpened(
      await Promise.all(this.#subscribers.map((agent) => agent.send<'return'>(command))),
    )
  }

  /** A moment soon after all publishers are up: a process that still starts would look like a slow server. */
  async startSoon(publishers = 1): Promise<number> {
    const agents = Array.from({ length: publishers }, (_, index) => this.#publisher(index))
    await Promise.all(
      agents.map((agent) => agent.send<'read-deliveries'>({ kind: 'read-deliveries' })),
    )
    return nowUs() + LEAD_US
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
    this.#held = 0
    await Promise.all(this.#subscribers.map((agent) => agent.send<'close'>({ kind: 'close' })))
  }

  /** Ends all agents; the team is done. */
  async stop(): Promise<void> {
    await Promise.all([...this.#publishers, ...this.#subscribers].map((agent) => agent.stop()))
  }

  /** Which agent opens how many; `first` is the number of its first socket in the team. */
  #share(count: number): { agent: AgentHandle; first: number; count: number }[] {
    const shares = []
    for (let missing = count; missing > 0;) {
      const index = Math.floor(this.#held / this.#socketsAnAgent)
      const agent = this.#subscribers[index] ?? new AgentHandle()
      this.#subscribers[index] = agent
      const room = (index + 1) * this.#socketsAnAgent - this.#held
      const share = Math.min(missing, room)
      // An agent takes token i for its own socket i.
      shares.push({ agent, first: index * this.#socketsAnAgent, count: share })
      this.#held += share
      missing -= share
    }
    return shares
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
    overloaded: results.reduce((total, result) => total + result.overloaded, 0),
    firstRefusal: results.map((result) => result.firstRefusal).find((text) => text !== '') ?? '',
    seconds: Math.max(...results.map((result) => result.seconds)),
    handshake: mergeEncoded(results.map((result) => result.handshake)),
  }
}
