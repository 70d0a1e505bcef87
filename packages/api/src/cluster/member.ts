/** One member as the primary sees it: its process, from the fork to the end. Main thread of the primary. */
import { type ChildProcess, fork } from 'node:child_process'
import { Heartbeat, type Patience } from './heartbeat.ts'
import type { FromMember, HealthMessage, MetricsMessage, ToMember } from './ipc.ts'

/** A member that has not ended by then is killed: before the primary's own time is up. */
const STOP_MS = 21_000

export interface MemberOptions {
  /** The program file (main.js). */
  readonly program: string
  /** MEMBER_ARGUMENT or SPARE_ARGUMENT. */
  readonly argument: string
  readonly patience: Patience
  readonly onMetrics: (message: MetricsMessage) => void
  readonly onHealth: (message: HealthMessage) => void
  /** It was told to stop, maybe by somebody else. */
  readonly onLeaving: () => void
}

export interface MemberEnd {
  readonly hadListened: boolean
  /** Why, as far as it is known. */
  readonly reason: string
}

export class Member {
  readonly #child: ChildProcess
  readonly #patience: Patience
  readonly #heartbeat: Heartbeat
  readonly #onMetrics: (message: MetricsMessage) => void
  readonly #onHealth: (message: HealthMessage) => void
  readonly #onLeaving: () => void
  /** Settles with its end, however it comes, after its last message. */
  readonly ended: Promise<MemberEnd>
  /** Where it listens; rejects when it ends before that. */
  readonly listening: Promise<string>
  #listens: (address: string) => void = () => undefined
  #isLoaded = false
  #isTold = false
  #hasListened = false
  #isStopping = false
  #reason: string | null = null

  constructor({ program, argument, patience, ...listeners }: MemberOptions) {
    this.#onMetrics = listeners.onMetrics
    this.#onHealth = listeners.onHealth
    this.#onLeaving = listeners.onLeaving
    this.#patience = patience
    this.#heartbeat = new Heartbeat({
      patience,
      ask: () => this.#send({ kind: 'ping' }),
      onSilence: () => this.#onSilence(),
    })
    // Plain JSON knows no Infinity, which a gauge may be.
    this.#child = fork(program, [argument], { serialization: 'advanced' })
    // What it is asked before it has loaded waits in the channel.
    this.#heartbeat.start()
    this.ended = this.#end()
    this.listening = new Promise((resolve, reject) => {
      this.#listens = resolve
      void this.ended.then(({ reason }) => reject(new Error(reason)))
    })
    // Whoever doesn't wait for it hears of its death by `ended`.
    this.listening.catch(() => undefined)
    this.#child.on('message', (message: FromMember) => this.#hear(message))
  }

  /** True while it can start at once. */
  get isReady(): boolean {
    return this.#isLoaded && !this.#heartbeat.isSilent
  }

  get hasListened(): boolean {
    return this.#hasListened
  }

  /** True while connections come to it. */
  get isServing(): boolean {
    return this.#hasListened && !this.#isStopping
  }

  /** Tells it something; one that is just ending hears nothing, and its end is told by `ended`. */
  send(message: ToMember): void {
    if (message.kind === 'start') this.#isTold = true
    this.#send(message)
  }

  /** Lets it finish, if there is anything; resolves when the process is gone. */
  async stop(reason: string): Promise<void> {
    this.#isStopping = true
    if (!this.#isTold) this.#child.kill('SIGKILL')
    this.#send({ kind: 'stop', reason })
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
    await this.ended
    clearTimeout(late)
  }

  #send(message: ToMember): void {
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  #hear(message: FromMember): void {
    switch (message.kind) {
      case 'loaded':
        this.#isLoaded = true
        this.#heartbeat.answered()
        return
      case 'listening':
        this.#hasListened = true
        this.#listens(message.address)
        return
      case 'leaving':
        void this.stop('it was told to stop')
        this.#onLeaving()
        return
      case 'failed':
        this.#reason = message.reason
        return
      case 'alive':
        this.#heartbeat.answered()
        this.#onMetrics(message)
        return
      case 'ask-others':
      case 'measures':
        this.#onMetrics(message)
        return
      case 'ask-health':
      case 'health':
        this.#onHealth(message)
    }
  }

  /** The end of a member has a time of its own (STOP_MS). */
  #onSilence(): void {
    if (this.#isStopping) return
    const { questions, loadingQuestions, periodMs } = this.#patience
    const what = this.#isLoaded ? 'answered' : 'loaded the program'
    const seconds = ((this.#isLoaded ? questions : loadingQuestions) * periodMs) / 1_000
    this.#reason = `it was killed, because it had not ${what} for ${seconds} s`
    this.#child.kill('SIGKILL')
  }

  async #end(): Promise<MemberEnd> {
    const how = await new Promise<string>((resolve) => {
      // A fork that fails tells by 'error' and never by the others.
      this.#child.once('error', (error) => resolve(error.message))
      // Unlike 'exit' it comes after everything that the process had said.
      this.#child.once('close', (code, signal) => {
        resolve(signal === null ? `it ended with status ${code}` : `it was ended by ${signal}`)
      })
    })
    this.#heartbeat.stop()
    return { hadListened: this.#hasListened, reason: this.#reason ?? how }
  }
}
