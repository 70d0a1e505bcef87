/**
 * Proves who sends a request. Gateway thread; between the copied request and its handler, and beside
 * the two raw endpoints, which ask for tokens themselves. Owns the token cache and the record of
 * last uses; the database answers what the cache does not know.
 */
import type { ClientPrincipal, Clock, Principal, UserPrincipal } from '@bellwire/common'
import type { Database } from '@bellwire/common/db'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Change } from '../changes.ts'
import { headerSource } from '../http/header-source.ts'
import type { AuthMode, HttpRequest } from '../http/types.ts'
import { ANONYMOUS, type Authentication } from './authentication.ts'
import { authorize } from './authorize.ts'
import { type Credentials, readCredentials } from './credentials.ts'
import { crossSiteRefusal } from './cross-site.ts'
import { LastUsed } from './last-used.ts'
import { LoginThrottle, type LoginThrottleOptions } from './login-throttle.ts'
import type { PasswordHasher } from './password-hasher.ts'
import { PasswordLogin } from './password-login.ts'
import { sessionCookie } from './session-cookie.ts'
import {
  renewExpiry,
  TokenCache,
  type TokenCacheOptions,
  type TokenPrincipal,
} from './token-cache.ts'
import { TokenStore } from './token-store.ts'
import { isRememberable } from './tokens.ts'
import { VerifiedPasswords } from './verified-passwords.ts'

/** How long a noted use may wait for its write. */
const FLUSH_EVERY_MS = 1000

export interface AuthenticatorOptions {
  readonly db: Kysely<Database>
  readonly hasher: PasswordHasher
  readonly clock: Clock
  readonly log: Logger
  /** GOTIFY_SERVER_SECURECOOKIE. */
  readonly secureCookie: boolean
  readonly cache?: TokenCacheOptions
  readonly throttle?: LoginThrottleOptions
}

interface LookUp {
  readonly result: Promise<TokenPrincipal | null>
  /** Set when a change came in while the query ran: its result may be old. */
  outdated: boolean
}

export class Authenticator {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #secureCookie: boolean
  readonly #cache: TokenCache
  readonly #store: TokenStore
  readonly #lastUsed: LastUsed
  readonly #passwords: PasswordLogin
  readonly #lookUps = new Map<string, LookUp>()
  readonly #flushTimer: NodeJS.Timeout

  constructor(options: AuthenticatorOptions) {
    this.#clock = options.clock
    this.#log = options.log
    this.#secureCookie = options.secureCookie
    this.#cache = new TokenCache(options.cache)
    this.#store = new TokenStore(options.db)
    this.#lastUsed = new LastUsed(options.db)
    this.#passwords = new PasswordLogin({
      db: options.db,
      hasher: options.hasher,
      throttle: new LoginThrottle(options.throttle),
      verified: new VerifiedPasswords(),
    })
    this.#flushTimer = setInterval(() => void this.#flushInBackground(), FLUSH_EVERY_MS)
    this.#flushTimer.unref()
  }

  /** What the cache knows, at once: null for a wrong token, undefined if it must be looked up. */
  cachedToken(token: string): TokenPrincipal | null | undefined {
    return this.#cache.get(token, this.#clock.now())
  }

  /**
   * Finds out what a token proves; equal questions at the same time are one query.
   * @throws {PushError} UNAUTHENTICATED for a malformed `gtfy` token, DATABASE_UNAVAILABLE
   */
  async byToken(token: string): Promise<TokenPrincipal | null> {
    const cached = this.cachedToken(token)
    if (cached !== undefined) return cached
    const running = this.#lookUps.get(token)
    if (running !== undefined && !running.outdated) return running.result
    const lookUp: LookUp = { result: this.#lookUp(token, () => lookUp.outdated), outdated: false }
    this.#lookUps.set(token, lookUp)
    try {
      return await lookUp.result
    } finally {
      if (this.#lookUps.get(token) === lookUp) this.#lookUps.delete(token)
    }
  }

  /**
   * @param address of the sender, for the brake on wrong passwords
   * @throws {PushError} TOO_MANY_REQUESTS, OVERLOADED, DATABASE_UNAVAILABLE
   */
  byPassword(name: string, password: string, address: string): Promise<UserPrincipal | null> {
    return this.#passwords.check(name, password, address, this.#clock.now())
  }

  /**
   * Applies an endpoint's mode: basic auth first, then a client token.
   * @throws {PushError} UNAUTHENTICATED, FORBIDDEN, and what the look-ups throw
   */
  async authenticate(request: HttpRequest, mode: AuthMode): Promise<Authentication> {
    if (mode === 'none') return ANONYMOUS
    const source = headerSource(request)
    const credentials = readCredentials(source)
    const refusal = crossSiteRefusal(source, request.method, credentials)
    if (refusal !== null) throw refusal
    const principal = await this.#prove(credentials, request.remoteAddress)
    const due = principal !== null && this.touch(principal)
    authorize(principal, mode, this.#clock.now())
    const refresh = due && credentials.source === 'cookie'
    const headers = refresh ? [sessionCookie(credentials.token, this.#secureCookie)] : []
    return { principal, headers }
  }

  /**
   * Notes that a token was used, for last-used and the expiry that follows from it; cheap, and
   * written later. Returns true when a use was due: then a cookie is to be set again, too. Names and
   * passwords have no last use.
   */
  touch(principal: Principal): boolean {
    if (principal.kind === 'user') return false
    const now = this.#clock.now()
    const due = this.#lastUsed.note(principal, now)
    if (due && principal.kind === 'client') {
      renewExpiry(principal, this.#lastUsed.expiryAfterUse(principal.clientId, now))
    }
    return due
  }

  /** The header that sets the cookie again after touch() returned true for a token from a cookie. */
  cookieRefresh(token: string): readonly [string, string] {
    return sessionCookie(token, this.#secureCookie)
  }

  /** Forgets what the change made untrue, also in look-ups that are under way. */
  onChange(change: Change): void {
    for (const lookUp of this.#lookUps.values()) lookUp.outdated = true
    this.#cache.drop(change)
  }

  /**
   * Writes every noted use; what reads last-used from the database calls it first.
   * @throws {PushError} DATABASE_UNAVAILABLE
   */
  flush(): Promise<void> {
    return this.#lastUsed.flush()
  }

  /** Stops the timer and writes what is left, if the database is there. */
  async close(): Promise<void> {
    clearInterval(this.#flushTimer)
    await this.#flushInBackground()
  }

  async #prove(
    credentials: Credentials,
    address: string,
  ): Promise<ClientPrincipal | UserPrincipal | null> {
    const { basic, token } = credentials
    if (basic !== null) {
      const user = await this.byPassword(basic.name, basic.password, address)
      if (user !== null) return user
    }
    if (token === '') return null
    const principal = await this.byToken(token)
    return principal?.kind === 'client' ? principal : null
  }

  async #lookUp(token: string, isOutdated: () => boolean): Promise<TokenPrincipal | null> {
    const now = this.#clock.now()
    const found = await this.#store.find(token, now)
    if (found !== null) this.#lastUsed.seed(found)
    const principal = found?.principal ?? null
    if (!isOutdated() && isRememberable(token)) this.#cache.set(token, principal, now)
    return principal
  }

  async #flushInBackground(): Promise<void> {
    try {
      await this.flush()
    } catch (error) {
      this.#log.warn({ err: error }, 'Last uses could not be written; they are kept')
    }
  }
}
