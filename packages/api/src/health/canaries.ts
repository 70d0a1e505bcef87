/**
 * Health that cannot lie: once a second every shard thread is sent a canary through its command
 * lane, commits it, and sends it back through its delivery lane. What is told is the age of the
 * newest proof, so anything that hangs on the way shows. Main thread.
 */
import type { CanaryDelivery } from '@bellwire/common'

/** Without a proof for so long a process is not ready. */
export const CANARY_BOUND_MS = 10_000

interface Thread {
  /** When the canary that is under way was sent; null when none is. */
  sentAt: number | null
  /** When the newest canary that came back had been sent. */
  provedAt: number
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
    }))
    this.#send = send
    this.#now = now
  }

  /** Sends one to each thread whose last one has come back; call it every second. */
  tick(): void {
    this.#threads.forEach((thread, number) => {
      if (thread.sentAt === null && this.#send(number)) thread.sentAt = this.#now()
    })
  }

  answered({ thread: number, committed }: CanaryDelivery): void {
    const thread = this.#threads[number]
    if (thread === undefined || thread.sentAt === null) return
    if (committed) thread.provedAt = thread.sentAt
    thread.sentAt = null
  }

  /** The worker died, and its canary with it. */
  forget(number: number): void {
    const thread = this.#threads[number]
    if (thread !== undefined) thread.sentAt = null
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
}
