/**
 * Checks a name and a password. Gateway thread; the slow hash runs in the pool. The order makes
 * overload harmless: a password found right lately needs no hash and passes the throttle, a
 * throttled guess costs no hash either, and a name that does not exist takes as long as one that does.
 */
import type { UserPrincipal } from '@bellwire/common'
import { type Database, toPushError } from '@bellwire/common/db'
import type { Kysely } from 'kysely'
import type { LoginThrottle } from './login-throttle.ts'
import type { PasswordHasher } from './password-hasher.ts'
import type { VerifiedPasswords } from './verified-passwords.ts'

export interface PasswordLoginOptions {
  readonly db: Kysely<Database>
  readonly hasher: PasswordHasher
  readonly throttle: LoginThrottle
  readonly verified: VerifiedPasswords
}

/** No name is longer than Gotify's column for it. */
const MAX_NAME_LENGTH = 180

export class PasswordLogin {
  readonly #options: PasswordLoginOptions

  constructor(options: PasswordLoginOptions) {
    this.#options = options
  }

  /**
   * Returns null for a wrong password and an unknown name alike.
   * @param now milliseconds since 1970
   * @throws {PushError} TOO_MANY_REQUESTS, OVERLOADED, DATABASE_UNAVAILABLE
   */
  async check(
    name: string,
    password: string,
    address: string,
    now: number,
  ): Promise<UserPrincipal | null> {
    const { hasher, throttle, verified } = this.#options
    const user = await this.#find(name)
    const hash = user?.hash ?? null
    if (user !== null && hash !== null && verified.has(hash, password, now)) return user.principal
    throttle.check(name, address, now)
    const matches =
      hash === null ? await hasher.verifyNobody(password) : await hasher.verify(hash, password)
    if (user === null || hash === null || !matches) {
      throttle.failed(name, address, now)
      return null
    }
    throttle.succeeded(name, address)
    verified.add(hash, password, now)
    return user.principal
  }

  async #find(name: string): Promise<{ principal: UserPrincipal; hash: string | null } | null> {
    if (name.length > MAX_NAME_LENGTH || name.includes('\0')) return null
    try {
      const row = await this.#options.db
        .selectFrom('users')
        .select(['id', 'name', 'pass', 'admin', 'created_at'])
        .where('name', '=', name)
        .executeTakeFirst()
      if (row === undefined) return null
      const principal: UserPrincipal = {
        kind: 'user',
        userId: row.id,
        userName: row.name,
        admin: row.admin,
        userCreatedAt: row.created_at,
      }
      return { principal, hash: row.pass }
    } catch (error) {
      throw toPushError(error)
    }
  }
}
