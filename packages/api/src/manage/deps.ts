/** What the management endpoints need of the rest of the gateway; main thread. */
import type { Clock, UserPrincipal } from '@bellwire/common'
import type { Config } from '@bellwire/common/config'
import type { Database } from '@bellwire/common/db'
import type { Kysely } from 'kysely'
import type { Changes } from '../changes.ts'

export interface ManagementDeps {
  readonly db: Kysely<Database>
  readonly authenticator: PasswordLogin
  readonly hasher: PasswordHash
  readonly changes: Changes
  readonly config: Config
  readonly clock: Clock
  readonly version: VersionInfo
  /** True: new tokens have the 15 characters of Gotify 2 unless the request says otherwise. @default false */
  readonly legacyTokens?: boolean
  /** True when a publish would be stored now. @default nobody can tell, so the database's answer is enough */
  readonly takesMessages?: () => Promise<boolean>
}

/** The part of the authenticator that handlers use themselves. */
export interface PasswordLogin {
  /** Null for a wrong name or password. */
  byPassword(name: string, pass: string, remoteAddress: string): Promise<UserPrincipal | null>
  /** Writes the last uses that are noted but not stored yet, so that a read finds them. */
  flush(): Promise<void>
}

export interface PasswordHash {
  /** @throws PushError BAD_REQUEST for a password that bcrypt cannot hold, OVERLOADED */
  hash(pass: string): Promise<string>
}

export interface VersionInfo {
  readonly version: string
  readonly commit: string
  /** RFC 3339. */
  readonly buildDate: string
}
