/**
 * Decides when a certificate is ordered: at the start if there is none, then when a third of its
 * life is left; after a failure later and later. Main thread; of several processes on one database
 * one orders, the others find the new file.
 */
import type { Clock } from '@bellwire/common'
import type { Logger } from 'pino'
import type { Certificate } from '../certificate.ts'

/** Timers of Node hold 24 days at most, and a clock may be set: look again at least this often. */
const LOOK_EVERY_MS = 60 * 60_000
/** Let's Encrypt takes five failed validations an hour. */
const FIRST_RETRY_MS = 10 * 60_000
const LAST_RETRY_MS = 12 * 60 * 60_000

export interface RenewalOptions {
  readonly clock: Clock
  readonly log: Logger
  /** The certificate in the cache; null if there is none that can be used. */
  readonly current: () => Promise<Certificate | null>
  readonly order: () => Promise<void>
  /** Runs the work unless another process does already; resolves to whether it ran. */
  readonly alone: (work: () => Promise<void>) => Promise<boolean>
  /** Told of a new certificate. */
  readonly renewed: () => Promise<void>
  /** In 0..1; spreads the orders of many servers. @default Math.random */
  readonly random?: () => number
}

export class Renewal {
  readonly #options: RenewalOptions
  readonly #jitter: number
  #timer: NodeJS.Timeout | null = null
  #run: Promise<void> = Promise.resolve()
  #failures = 0
  #stopped = false

  constructor(options: RenewalOptions) {
    this.#options = options
    this.#jitter = (options.random ?? Math.random)()
  }

  start(): void {
    this.#run = this.#look()
  }

  /** Resolves at once: an order under way ends with the process and is repeated at the next start. */
  stop(): void {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  /** Settles when the look under way is through. */
  get idle(): Promise<void> {
    return this.#run
  }

  async #look(): Promise<void> {
    const { log } = this.#options
    let wait = LOOK_EVERY_MS
    try {
      await this.#renewIfDue()
      this.#failures = 0
    } catch (error) {
      wait = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LAST_RETRY_MS)
      this.#failures++
      const retryInSeconds = wait / 1000
      log.error({ err: error, retryInSeconds }, 'The certificate could not be ordered')
    }
    if (this.#stopped) return
    this.#timer = setTimeout(() => void (this.#run = this.#look()), wait)
    this.#timer.unref()
  }

  async #renewIfDue(): Promise<void> {
    const { alone, log, order, renewed } = this.#options
    if (!(await this.#isDue())) return
    const ran = await alone(async () => {
      // Whoever had the lock before may have done it.
      if (!(await this.#isDue())) return
      log.info('A certificate is ordered')
      await order()
      log.info('The new certificate is there')
    })
    if (ran) await renewed()
  }

  async #isDue(): Promise<boolean> {
    const certificate = await this.#options.current()
    return certificate === null || this.#options.clock.now() >= dueAt(certificate, this.#jitter)
  }
}

/**
 * When a third of its life is left, and up to a tenth of that earlier.
 * @param jitter in 0..1
 * @returns milliseconds since 1970
 */
export function dueAt({ notBefore, notAfter }: Certificate, jitter: number): number {
  const last = (notAfter - notBefore) / 3
  return notAfter - last * (1 + jitter / 10)
}
