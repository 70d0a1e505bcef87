/**
 * What tokens proved to be, remembered for a while: the publish path asks here and nowhere else in
 * the usual case. Gateway thread; filled by look-ups, emptied by changes. Wrong tokens are
 * remembered too, in a space of their own, so that a flood of them cannot push out the right ones.
 */
import type { ApplicationPrincipal, ClientPrincipal } from '@bellwire/common'
import type { Change } from '../changes.ts'
import { BoundedMap } from './bounded-map.ts'

export type TokenPrincipal = ApplicationPrincipal | ClientPrincipal

export interface TokenCacheOptions {
  /** Tokens remembered with what they proved. */
  readonly capacity?: number
  readonly ttlMs?: number
  /** Tokens remembered as wrong. */
  readonly wrongCapacity?: number
  readonly wrongTtlMs?: number
}

interface Entry {
  readonly principal: TokenPrincipal
  readonly staleAt: number
}

export class TokenCache {
  readonly #known: BoundedMap<string, Entry>
  /** Token to the moment from which it is looked up again. */
  readonly #wrong: BoundedMap<string, number>
  readonly #ttlMs: number
  readonly #wrongTtlMs: number

  constructor(options: TokenCacheOptions = {}) {
    this.#known = new BoundedMap(options.capacity ?? 200_000)
    this.#wrong = new BoundedMap(options.wrongCapacity ?? 10_000)
    this.#ttlMs = options.ttlMs ?? 60_000
    this.#wrongTtlMs = options.wrongTtlMs ?? 10_000
  }

  /**
   * Returns null for a token known to be wrong, undefined for one that must be looked up: also a
   * client past its expiry, which an open stream may have moved in the database.
   * @param now milliseconds since 1970
   */
  get(token: string, now: number): TokenPrincipal | null | undefined {
    const entry = this.#known.get(token)
    if (entry !== undefined) {
      if (entry.staleAt > now && !isExpired(entry.principal, now)) return entry.principal
      this.#known.delete(token)
      return undefined
    }
    const wrongUntil = this.#wrong.get(token)
    return wrongUntil !== undefined && wrongUntil > now ? null : undefined
  }

  set(token: string, principal: TokenPrincipal | null, now: number): void {
    // A token cut out of a longer header would keep the whole header alive.
    const key = Buffer.from(token).toString()
    if (principal === null) {
      this.#wrong.set(key, now + this.#wrongTtlMs)
    } else {
      this.#wrong.delete(key)
      this.#known.set(key, { principal, staleAt: now + this.#ttlMs })
    }
  }

  /** Forgets what the change made untrue. */
  drop(change: Change): void {
    const test = principalsOf(change)
    if (test !== null) this.#known.deleteWhere((entry) => test(entry.principal))
  }
}

/**
 * Moves the expiry of a client that was just used; undefined leaves it. In place, because the cache
 * and open connections hold the same object.
 */
export function renewExpiry(
  principal: ClientPrincipal,
  expiresAt: number | null | undefined,
): void {
  const held: { expiresAt: number | null } = principal
  if (expiresAt !== undefined) held.expiresAt = expiresAt
}

function isExpired(principal: TokenPrincipal, now: number): boolean {
  return principal.kind === 'client' && principal.expiresAt !== null && principal.expiresAt <= now
}

function principalsOf(change: Change): ((principal: TokenPrincipal) => boolean) | null {
  switch (change.kind) {
    case 'user-changed':
    case 'user-deleted':
      return (principal) => principal.userId === change.userId
    case 'client-changed':
    case 'client-deleted':
      return (principal) => principal.kind === 'client' && principal.clientId === change.clientId
    case 'application-changed':
    case 'application-deleted':
      return (principal) =>
        principal.kind === 'application' && principal.applicationId === change.applicationId
    case 'message-deleted':
    case 'messages-deleted':
      return null
  }
}
