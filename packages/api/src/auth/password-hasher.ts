/**
 * bcrypt off the gateway thread: a small pool of threads behind a bounded stack of waiting jobs.
 * Gateway thread. Under overload the newest job runs first and the oldest is refused, so that a
 * good login is not stuck behind hundreds of wrong ones; whoever waited longest has the least
 * patience left anyway.
 */
import { availableParallelism } from 'node:os'
import { PushError } from '@bellwire/common'
import { Piscina } from 'piscina'
import type { HashJob, VerifyJob } from './password-worker.ts'

/** bcrypt reads no more than this many bytes of a password. */
export const MAX_PASSWORD_BYTES = 72

const MAX_THREADS = 4
const IDLE_MS = 30_000
const DEFAULT_MAX_WAITING = 256

export interface PasswordHasherOptions {
  /** bcrypt cost (GOTIFY_PASSSTRENGTH). */
  readonly cost: number
  /** Jobs that may wait for a thread. */
  readonly maxWaiting?: number
  readonly threads?: number
}

interface Job {
  readonly start: () => void
  readonly refuse: (error: PushError) => void
}

export class PasswordHasher {
  readonly #pool: Piscina
  readonly #cost: number
  readonly #threads: number
  readonly #maxWaiting: number
  readonly #waiting: Job[] = []
  #running = 0
  #decoy: string | undefined

  constructor(options: PasswordHasherOptions) {
    this.#cost = options.cost
    this.#threads =
      options.threads ?? Math.min(MAX_THREADS, Math.max(1, availableParallelism() - 1))
    this.#maxWaiting = options.maxWaiting ?? DEFAULT_MAX_WAITING
    this.#pool = new Piscina({
      filename: new URL('./password-worker.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: this.#threads,
      idleTimeout: IDLE_MS,
      atomics: 'disabled',
    })
  }

  /**
   * Hashes a password that a user chose.
   * @throws {PushError} BAD_REQUEST above 72 bytes or with a NUL, OVERLOADED
   */
  async hash(password: string): Promise<string> {
    if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
      throw new PushError(
        'BAD_REQUEST',
        `password must not be longer than ${MAX_PASSWORD_BYTES} bytes`,
      )
    }
    if (password.includes('\0')) {
      throw new PushError('BAD_REQUEST', 'password must not hold a NUL character')
    }
    const job: HashJob = { password, cost: this.#cost }
    return this.#run(() => this.#pool.run(job, { name: 'hashPassword' }) as Promise<string>)
  }

  /**
   * Tells whether the password is the one behind the hash; one longer than 72 bytes never is.
   * @throws {PushError} OVERLOADED
   */
  async verify(hash: string, password: string): Promise<boolean> {
    const fits = Buffer.byteLength(password) <= MAX_PASSWORD_BYTES
    const job: VerifyJob = { password: fits ? password : '', hash }
    const matches = await this.#run(
      () => this.#pool.run(job, { name: 'verifyPassword' }) as Promise<boolean>,
    )
    return fits && matches
  }

  /**
   * Takes as long as verify(), for a user who does not exist: the time of an answer must not tell
   * which names do.
   * @throws {PushError} OVERLOADED
   */
  async verifyNobody(password: string): Promise<false> {
    this.#decoy ??= await this.hash('nobody')
    await this.verify(this.#decoy, password)
    return false
  }

  /** Jobs that wait for a thread right now. */
  get waiting(): number {
    return this.#waiting.length
  }

  async close(): Promise<void> {
    for (const job of this.#waiting.splice(0)) {
      job.refuse(new PushError('SHUTTING_DOWN', 'the server is shutting down'))
    }
    await this.#pool.destroy()
  }

  async #run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#threads) this.#running++
    else await this.#turn()
    try {
      return await work()
    } finally {
      // The place goes over to the newest waiting job, so `#running` stays; only without one it falls.
      const next = this.#waiting.pop()
      if (next === undefined) this.#running--
      else next.start()
    }
  }

  /** Settles when the job may start; rejects when it is refused. */
  #turn(): Promise<void> {
    return new Promise((start, refuse) => {
      this.#waiting.push({ start, refuse })
      if (this.#waiting.length <= this.#maxWaiting) return
      const error = new PushError('OVERLOADED', 'too many passwords are being checked, try again')
      this.#waiting.shift()?.refuse(error)
    })
  }
}
