/**
 * The primary of a cluster: starts the members on one port, fills the seat of each that dies or
 * hangs, and ends them. It listens on nothing itself and owns no connection, so all it can lose is
 * its members, which end when it does. Main thread of the primary; start-primary.ts comes before.
 */
import type { Logger } from '@bellwire/common'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DatabaseConnection } from '@bellwire/common/db'
import { StartError } from '../http/start-error.ts'
import type { Program } from '../program.ts'
import { ClusterHealth } from './cluster-health.ts'
import { ClusterMetrics } from './cluster-metrics.ts'
import type { Patience } from './heartbeat.ts'
import { MEMBER_ARGUMENT, SPARE_ARGUMENT } from './ipc.ts'
import { Member, type MemberEnd } from './member.ts'
import { RestartPolicy } from './restart-policy.ts'

export interface PrimaryOptions {
  /** The program file (main.js). */
  readonly program: string
  readonly processes: number
  readonly connection: DatabaseConnection
  /** Never 0: the system would choose one for each. */
  readonly port: number
  /** With members that do not answer. */
  readonly patience: Patience
  readonly log: Logger
}

/** In this time a signal to all processes of a group has reached them all. */
const ALL_TOLD_MS = 100

/** The place of one member; who sits there changes. */
interface Seat {
  readonly number: number
  member: Member | null
  restart: NodeJS.Timeout | null
}

export class Primary implements Program {
  readonly #options: PrimaryOptions
  readonly #seats: readonly Seat[]
  /** Every process that runs, during a roll both of a seat. */
  readonly #running = new Set<Member>()
  readonly #policy = new RestartPolicy()
  readonly #metrics = new ClusterMetrics()
  readonly #health = new ClusterHealth(() => this.#serving())
  /**
   * A process that has loaded the program and waits to become a member. To load takes most of the
   * time of a start: with 40 MB for a spare a seat is empty for a third of it.
   */
  #spare: Member | null = null
  #started = false
  #stopping = false
  #rolling = false
  #fail: (error: Error) => void = () => undefined
  readonly failure: Promise<never>

  constructor(options: PrimaryOptions) {
    this.#options = options
    this.#seats = Array.from({ length: options.processes }, (_, number) => ({
      number,
      member: null,
      restart: null,
    }))
    this.failure = new Promise((_, reject) => (this.#fail = reject))
    // It may come while nobody waits for it yet.
    this.failure.catch(() => undefined)
  }

  /**
   * Starts the members; resolves with their address when all of them listen.
   * @throws {StartError} when they die again and again.
   */
  async start(): Promise<string> {
    for (const seat of this.#seats) this.#fill(seat)
    const addresses = await Promise.all(this.#seats.map((seat) => this.#untilListening(seat)))
    this.#started = true
    this.#keepSpare()
    return addresses[0] ?? ''
  }

  async stop(): Promise<void> {
    this.#stopping = true
    for (const { restart } of this.#seats) if (restart !== null) clearTimeout(restart)
    await Promise.all([...this.#running].map((member) => member.stop('the primary stops')))
  }

  /** Replaces one member after the other; each new one listens before the old one ends. */
  reload(): void {
    if (this.#stopping) return
    if (this.#rolling) {
      this.#options.log.warn('members are being replaced already: asked again for nothing')
      return
    }
    this.#rolling = true
    void this.#roll().finally(() => {
      this.#rolling = false
      this.#keepSpare()
    })
  }

  async #roll(): Promise<void> {
    const { log } = this.#options
    log.info('members are replaced one by one')
    await this.#dropSpare()
    for (const seat of this.#seats) {
      if (this.#stopping) return
      const next = this.#spawn(seat.number)
      try {
        await next.listening
      } catch (error) {
        log.error({ reason: String(error) }, 'a new member does not start: the old ones stay')
        return
      }
      const before = seat.member
      if (seat.restart !== null) clearTimeout(seat.restart)
      this.#seat(seat, next)
      await before?.stop('another member has taken its place')
    }
    log.info('all members were replaced')
  }

  /** @throws {StartError} when the cluster gives up. */
  async #untilListening(seat: Seat): Promise<string> {
    for (;;) {
      const attempt = seat.member?.listening.catch(() => null) ?? null
      const address = await Promise.race([attempt, this.failure])
      if (address !== null) return address
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  #fill(seat: Seat): void {
    this.#seat(seat, this.#spawn(seat.number))
  }

  #seat(seat: Seat, member: Member): void {
    seat.member = member
    seat.restart = null
    void member.ended.then((end) => this.#onEnd(seat, member, end))
  }

  /** A member that starts, from the spare where there is one. */
  #spawn(number: number): Member {
    const { connection, port, log } = this.#options
    const member = this.#takeSpare() ?? this.#fork(MEMBER_ARGUMENT)
    member.send({ kind: 'start', number, connection, port })
    member.listening.then(
      () => {
        this.#policy.listened()
        this.#metrics.joined(member)
        this.#keepSpare()
      },
      (error: unknown) => log.debug({ number, error: String(error) }, 'member did not listen'),
    )
    return member
  }

  #fork(argument: string): Member {
    const { program, patience } = this.#options
    const member: Member = new Member({
      ...{ program, argument, patience },
      onMetrics: (message) => this.#metrics.hear(member, message),
      onHealth: (message) => this.#health.hear(member, message),
      onLeaving: () => void this.#onLeaving(member),
    })
    this.#running.add(member)
    void member.ended.then(() => {
      this.#running.delete(member)
      this.#metrics.left(member)
      this.#health.left(member)
    })
    return member
  }

  #takeSpare(): Member | null {
    const spare = this.#spare
    if (spare?.isReady !== true) return null
    this.#spare = null
    return spare
  }

  /** It has loaded what a roll is about to replace. */
  async #dropSpare(): Promise<void> {
    const spare = this.#spare
    this.#spare = null
    await spare?.stop('it is not needed')
  }

  /** Loads one when all is quiet. One that dies is missed until the next member has started. */
  #keepSpare(): void {
    if (!this.#started || this.#stopping || this.#rolling || this.#spare !== null) return
    const spare = this.#fork(SPARE_ARGUMENT)
    this.#spare = spare
    void spare.ended.then(({ reason }) => {
      if (this.#spare !== spare) return
      this.#spare = null
      this.#options.log.debug({ reason }, 'the spare ended')
    })
  }

  /**
   * Somebody else has told it to stop: its seat need not wait until it has finished. Whoever tells
   * all processes at once has told this one, too, and that may be known a moment later.
   */
  async #onLeaving(member: Member): Promise<void> {
    await sleep(ALL_TOLD_MS)
    const seat = this.#seats.find((each) => each.member === member)
    if (seat === undefined || this.#stopping) return
    this.#options.log.warn(
      { number: seat.number },
      'a member was told to stop, another takes its seat',
    )
    this.#fill(seat)
  }

  #onEnd(seat: Seat, member: Member, { hadListened, reason }: MemberEnd): void {
    // Replaced in a roll, or stopped with all.
    if (seat.member !== member || this.#stopping) return
    const { log } = this.#options
    seat.member = null
    log.error({ number: seat.number, reason }, 'a member ended, starting it again')
    const now = performance.now()
    const delayMs = this.#policy.died(hadListened, now)
    // One that serves is better than none: a running cluster goes on with what it has.
    if (this.#policy.isLoop(now) && !(this.#started && this.#someListen())) {
      this.#fail(new StartError(`The processes of the cluster end again and again: ${reason}`))
      return
    }
    seat.restart = setTimeout(() => this.#fill(seat), delayMs)
  }

  #serving(): readonly Member[] {
    return [...this.#running].filter(({ isServing }) => isServing)
  }

  #someListen(): boolean {
    return this.#seats.some(({ member }) => member?.hasListened === true)
  }
}
