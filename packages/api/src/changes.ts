import type { ApplicationId, ClientId, MessageId, UserId } from '@bellwire/common'

/**
 * What management does that others must hear of: caches drop what they hold, shards close
 * connections, other processes are told. A change is announced after its commit.
 */
export type Change =
  | { readonly kind: 'user-changed'; readonly userId: UserId }
  | { readonly kind: 'user-deleted'; readonly userId: UserId }
  | { readonly kind: 'client-changed'; readonly userId: UserId; readonly clientId: ClientId }
  | { readonly kind: 'client-deleted'; readonly userId: UserId; readonly clientId: ClientId }
  | {
      readonly kind: 'application-changed'
      readonly userId: UserId
      readonly applicationId: ApplicationId
    }
  | {
      readonly kind: 'application-deleted'
      readonly userId: UserId
      readonly applicationId: ApplicationId
    }
  | {
      /** Those of one statement: telling of many costs little more than telling of one. */
      readonly kind: 'message-deleted'
      readonly userId: UserId
      readonly messageIds: readonly MessageId[]
    }
  | {
      /** All messages of the user, or those of one application. */
      readonly kind: 'messages-deleted'
      readonly userId: UserId
      readonly applicationId: ApplicationId | null
    }

/** This process, or another one on the same database. */
export type ChangeOrigin = 'here' | 'elsewhere'

export type ChangeListener = (change: Change, origin: ChangeOrigin) => void

/** Hands every announced change to every listener, in order, at once. Main thread only. */
export class Changes {
  readonly #listeners: ChangeListener[] = []

  listen(listener: ChangeListener): void {
    this.#listeners.push(listener)
  }

  announce(change: Change, origin: ChangeOrigin = 'here'): void {
    for (const listener of this.#listeners) listener(change, origin)
  }
}
