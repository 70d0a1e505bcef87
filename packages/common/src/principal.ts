import type { ApplicationId, ClientId, UserId } from './ids.ts'

/** Who a credential proved to be. Times are milliseconds since 1970. */
export type Principal = ApplicationPrincipal | ClientPrincipal | UserPrincipal

/** An application token: may publish, nothing else. Holds what a publish needs of the application. */
export interface ApplicationPrincipal {
  readonly kind: 'application'
  readonly userId: UserId
  readonly applicationId: ApplicationId
  /** Title of messages that have none. */
  readonly name: string
  readonly defaultPriority: number
}

/** A client token: may receive and manage; some endpoints ask for an elevated one. */
export interface ClientPrincipal {
  readonly kind: 'client'
  readonly userId: UserId
  readonly userName: string
  readonly admin: boolean
  readonly userCreatedAt: number
  readonly clientId: ClientId
  readonly elevatedUntil: number | null
  /** The client counts as gone from this moment; null means never. */
  readonly expiresAt: number | null
}

/** Name and password: always elevated. */
export interface UserPrincipal {
  readonly kind: 'user'
  readonly userId: UserId
  readonly userName: string
  readonly admin: boolean
  readonly userCreatedAt: number
}
