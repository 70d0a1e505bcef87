/**
 * Health that cannot lie: once a second every shard thread is sent a canary through its command
 * lane, commits it, and sends it back through its delivery lane. What is told is the age of the
 * newest proof, so anything that hangs on the way shows. Main thread.
 */
import type { CanaryDelivery } from '@bellwire/common'
import { setTimeout as sleep } from 'node:timers/promises'

/** Without a proof for so long a process is not ready. */
export const CANARY_BOUND_MS = 10_000
/** A question for health waits so long for proofs; a busy thread may take longer and work. */
const LOOK_MS = 1_000
/** A proof this young is as good as a new one: many questions make few commits. */
const NEW_MS = 100

interface Thread {
  /** When the canary that is under way was sent; null when none is. */
  sentAt: number | null
  /** When the newest canary that came back had been sent. */
  provedAt: number
  /** False when the last canary failed or died, until one comes back committed. */
  works: boolean
  /** Questions that wait for the canary that is under way. */
  waiting: (() => void)[]
}

export class Canaries {
  readonly #threads: readonly Thread[]
  readonly #send: (thread: number) => boolean
  readonly #now: () => number

  /**
   * @param send puts a canary into a lane of the thread; false when there was no room
   * @param now milliseconds of a clock that never goes back
   */
  constructor(
    threadCount: number,
    send: (thread: number) => boolean,
    now: () => number = () => performance.now(),
  ) {
    this.#threads = Array.from({ length: threadCount }, () => ({
      sentAt: null,
      provedAt: Number.NEGATIVE_INFINITY,
      works: true,
      waiting: [],
    }))
    this.#send = send
    this.#now = now
  }

  /** Sends one to each thread whose last one has come back; call it every second. */
  tick(): void {
    this.#threads.forEach((thread, number) => this.#sendTo(thread, number))
  }

  /**
   * True when a message would be stored now: no thread failed at its last canary, and none is long
   * without proof. Asks for new proofs and waits for them, a second at most.
   */
  async look(): Promise<boolean> {
    const answers = this.#threads.map((thread, number) => this.#proofOf(thread, number))
    const patience = new AbortController()
    await Promise.race([
      Promise.all(answers).finally(() => patience.abort()),
      sleep(LOOK_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ])
    return this.fresh && this.#threads.every(({ works }) => works)
  }

  answered({ thread: number, committed }: CanaryDelivery): void {
    const thread = this.#threads[number]
    if (thread === undefined || thread.sentAt === null) return
    if (committed) thread.provedAt = thread.sentAt
    this.#settle(thread, committed)
  }

  /** The worker died, and its canary with it. */
  forget(number: number): void {
    const thread = this.#threads[number]
    if (thread !== undefined) this.#settle(thread, false)
  }

  /** Milliseconds since each thread was last known to work, by thread number; Infinity before that. */
  ages(): readonly number[] {
    const now = this.#now()
    return this.#threads.map(({ provedAt }) => now - provedAt)
  }

  /** True while every thread has a proof that is young enough. */
  get fresh(): boolean {
    return this.ages().every((age) => age <= CANARY_BOUND_MS)
  }

  /** Resolves when the thread's next canary is back, at once where there is nothing to wait for. */
  #proofOf(thread: Thread, number: number): Promise<void> {
    const isNew = thread.works && this.#now() - thread.provedAt < NEW_MS
    if (!isNew) this.#sendTo(thread, number)
    if (isNew || thread.sentAt === null) return Promise.resolve()
    return new Promise((resolve) => thread.waiting.push(resolve))
  }

  #sendTo(thread: Thread, number: number): void {
    if (thread.sentAt === null && this.#send(number)) thread.sentAt = this.#now()
  }

  #settle(thread: Thread, works: boolean): void {
    thread.sentAt = null
    thread.works = works
    for (const tell of thread.waiting.splice(0)) tell()
  }
}
