/**
 * Remembers which passwords were found right a moment ago, so that basic auth on every request does
 * not cost a bcrypt each. Gateway thread. Neither passwords nor hashes are kept: an HMAC under a key
 * that dies with the process is. It covers the stored hash, so a changed password is forgotten by
 * itself.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { BoundedMap } from './bounded-map.ts'

const KEY_BYTES = 32

export interface VerifiedPasswordsOptions {
  readonly capacity?: number
  readonly ttlMs?: number
}

export class VerifiedPasswords {
  readonly #key = randomBytes(KEY_BYTES)
  /** Digest to the moment at which it ends. */
  readonly #verified: BoundedMap<string, number>
  readonly #ttlMs: number

  constructor(options: VerifiedPasswordsOptions = {}) {
    this.#verified = new BoundedMap(options.capacity ?? 10_000)
    this.#ttlMs = options.ttlMs ?? 10 * 60_000
  }

  /** @param now milliseconds since 1970 */
  has(hash: string, password: string, now: number): boolean {
    const until = this.#verified.get(this.#digest(hash, password))
    return until !== undefined && until > now
  }

  add(hash: string, password: string, now: number): void {
    this.#verified.set(this.#digest(hash, password), now + this.#ttlMs)
  }

  #digest(hash: string, password: string): string {
    const hmac = createHmac('sha256', this.#key)
    // A bcrypt string holds no NUL, so the two parts cannot be mistaken for each other.
    return hmac.update(hash).update('\0').update(password).digest('base64')
  }
}
