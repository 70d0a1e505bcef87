/**
 * bcrypt off the gateway thread: a small pool of threads behind a bounded stack of waiting jobs.
 * Gateway thread. Under overload the newest job runs first and the oldest is refused, so that a
 * good login is not stuck behind hundreds of wrong ones. Nobody waits for a turn that comes too
 * late: who cannot be served in time is refused at once, or when the time is up.
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
/** The longest wait for a thread; where one check takes longer than that, two of them. */
const PATIENCE_MS = 2_000
/** One check at cost 10 on a usual core: the guess until one was measured. Each step of cost doubles it. */
const GUESS_MS = 70
/** Weight of the newest measurement. */
const SMOOTHING = 0.2
/** A salt and a digest that no password has: the work of a check, without its success. */
const NOBODY = `${'.'.repeat(22)}${'.'.repeat(31)}`

export interface PasswordHasherOptions {
  /** bcrypt cost (GOTIFY_PASSSTRENGTH). */
  readonly cost: number
  /** Jobs that may wait for a thread. */
  readonly maxWaiting?: number
  /** Milliseconds that a job may wait. @default 2000, or twice the time of a check */
  readonly patienceMs?: number
  readonly threads?: number
}

interface Job {
  /** Milliseconds of performance.now() at which it gives up. */
  readonly until: number
  readonly start: () => void
  readonly refuse: (error: PushError) => void
}

export class PasswordHasher {
  readonly #pool: Piscina
  readonly #cost: number
  readonly #threads: number
  readonly #maxWaiting: number
  readonly #patienceMs: number
  /** The newest last. */
  readonly #waiting: Job[] = []
  #running = 0
  /** How long a check takes, smoothed. */
  #checkMs: number
  #timer: NodeJS.Timeout | null = null

  constructor(options: PasswordHasherOptions) {
    this.#cost = options.cost
    this.#threads =
      options.threads ?? Math.min(MAX_THREADS, Math.max(1, availableParallelism() - 1))
    this.#maxWaiting = options.maxWaiting ?? DEFAULT_MAX_WAITING
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS
    this.#checkMs = GUESS_MS * 2 ** (options.cost - 10)
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
    await this.verify(`$2b$${String(this.#cost).padStart(2, '0')}$${NOBODY}`, password)
    return false
  }

  /** Jobs that wait for a thread right now. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** The process ends: whoever waits for a thread is refused. */
  refuseWaiting(): void {
    for (const job of this.#waiting.splice(0)) {
      job.refuse(new PushError('SHUTTING_DOWN', 'the server is shutting down'))
    }
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.refuseWaiting()
    await this.#pool.destroy()
  }

  async #run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#threads) this.#running++
    else await this.#turn()
    const start = performance.now()
    try {
      return await work()
    } finally {
      this.#checkMs += (performance.now() - start - this.#checkMs) * SMOOTHING
      // The place goes over to the newest waiting job, so `#running` stays; only without one it falls.
      const next = this.#waiting.pop()
      if (next === undefined) this.#running--
      else next.start()
    }
  }

  /** Settles when the job may start; rejects when it is refused. */
  #turn(): Promise<void> {
    return new Promise((start, refuse) => {
      this.#waiting.push({ until: performance.now() + this.#patience, start, refuse })
      while (this.#waiting.length > this.#room) this.#refuseOldest()
      this.#watchOldest()
    })
  }

  get #patience(): number {
    return Math.max(this.#patienceMs, 2 * this.#checkMs)
  }

  /** As many as can get their turn in time. */
  get #room(): number {
    const inTime = Math.floor((this.#patience / this.#checkMs) * this.#threads)
    return Math.min(this.#maxWaiting, inTime)
  }

  #refuseOldest(): void {
    const error = new PushError('OVERLOADED', 'too many passwords are being checked, try again')
    this.#waiting.shift()?.refuse(error)
  }

  /** New ones pass the oldest, so a steady stream could keep it waiting for good. */
  #watchOldest(): void {
    const [oldest] = this.#waiting
    if (this.#timer !== null || oldest === undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      const now = performance.now()
      while ((this.#waiting[0]?.until ?? Infinity) <= now) this.#refuseOldest()
      this.#watchOldest()
    }, oldest.until - performance.now())
  }
}
