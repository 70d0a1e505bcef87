/**
 * What a shard needs of the log of record, and the guarantees it builds on. Stage 6 of the flow.
 * The real store is PostgreSQL (pg-message-store.ts); the simulation brings one in memory that
 * holds to the same contract.
 */
import { PushError, type ApplicationId, type MessageFields, type UserId } from '@bellwire/common'

/** A checked publish, not stored yet. */
export interface NewMessage extends MessageFields {
  readonly userId: UserId
  readonly applicationId: ApplicationId
  /** '' for none. */
  readonly idempotencyKey: string
  /** SHA-256 of the request; only with a key: tells a repeat from another message under the same key. */
  readonly fingerprint: Buffer | null
}

export interface StoredMessage extends MessageFields {
  readonly id: number
  readonly applicationId: ApplicationId
}

/** What became of one new message. */
export type Stored =
  /**
   * `previousId`: the user's newest id before this one, null where only this process writes,
   * UNKNOWN_PREVIOUS where it was not asked for.
   */
  | { readonly kind: 'new'; readonly id: number; readonly previousId: number | null }
  | { readonly kind: 'repeat'; readonly first: StoredMessage }
  | { readonly kind: 'key-reused' }
  /** The first message under the key was deleted meanwhile: nothing is stored, a retry will be. */
  | { readonly kind: 'key-freed' }

/** Greater than any id: reading the log is the only way to know that nothing is between. */
export const UNKNOWN_PREVIOUS = Number.MAX_SAFE_INTEGER

export interface Page {
  readonly messages: readonly StoredMessage[]
  /** True when the log held no more at that moment. */
  readonly atEnd: boolean
}

export interface Heads {
  /** The newest id ever given out. */
  readonly newest: number
  /** Newest id of each asked user that has messages. */
  readonly byUser: ReadonlyMap<UserId, number>
}

/**
 * A batch that was not stored. `unknown`: the connection broke while it was under way, it may or
 * may not be in the log. `refused`: the database answered, nothing of it is in the log.
 */
export class BatchError extends Error {
  readonly outcome: 'unknown' | 'refused'
  /** What the database lacks, in words for the publisher; null for other failures. */
  readonly shortage: string | null

  constructor(outcome: 'unknown' | 'refused', cause: unknown, shortage: string | null = null) {
    super(cause instanceof Error ? cause.message : 'Batch was not stored', { cause })
    this.name = 'BatchError'
    this.outcome = outcome
    this.shortage = shortage
  }

  /** What the publisher is told. */
  get answer(): PushError {
    if (this.shortage !== null) return new PushError('DATABASE_UNAVAILABLE', this.shortage)
    if (this.outcome === 'refused') {
      return new PushError('INTERNAL', 'the database refused the message')
    }
    const text = 'the database went away, the message may or may not be stored'
    return new PushError('DATABASE_UNAVAILABLE', text)
  }
}

export interface MessageStore {
  /**
   * Stores a batch in one commit and answers after it, in the order given; ids grow along the
   * batch and from call to call, also while several calls are under way; a later call may be
   * answered before an earlier one. Either every row of a batch has an idempotency key or none has.
   * @throws {BatchError} when nothing, or an unknown part, was stored.
   */
  insert(batch: readonly NewMessage[]): Promise<readonly Stored[]>
  /** Sees everything that was committed before the call. */
  heads(userIds: readonly UserId[]): Promise<Heads>
  /** Messages of a user with a greater id, oldest first, bounded in number and bytes, at least one. */
  page(userId: UserId, after: number): Promise<Page>
  /** Name and default priority of an application of this user, null if there is none. */
  application(
    userId: UserId,
    applicationId: number,
  ): Promise<{ readonly name: string; readonly defaultPriority: number } | null>
  /**
   * Makes a commit that holds no message, on the way of all others: proof that the log takes more,
   * also when a while ago it had no room.
   * @throws {BatchError} when it was not committed, or nobody knows.
   */
  prove(): Promise<void>
  /** False while the database is away; calls fail at once then. */
  readonly isUp: boolean
  /** Calls back each time the database is reachable again after it was away. */
  onUp(listener: () => void): void
  close(): Promise<void>
}
