/**
 * The log of record of a simulation: what PostgreSQL is to real processes. Rows are committed here
 * and nowhere else, so the checker asks this file what is true.
 */
import type { UserId } from '@bellwire/common'
import type { NewMessage, StoredMessage } from '@bellwire/shard-worker/testing'

export interface LogRow extends StoredMessage {
  readonly userId: UserId
  readonly idempotencyKey: string
  readonly fingerprint: Buffer | null
  deleted: boolean
}

/** An application that was deleted: the database refuses a batch with a row of it. */
export const DELETED_APPLICATION = 404

export class MemoryLog {
  readonly #rows = new Map<number, LogRow>()
  readonly #ofUser = new Map<UserId, LogRow[]>()
  /** The newest id ever given out: the value of the sequence. */
  newest = 0

  append(message: NewMessage, skippedIds = 0): LogRow {
    this.newest += 1 + skippedIds
    const row: LogRow = { ...message, id: this.newest, deleted: false }
    this.#rows.set(row.id, row)
    const own = this.#ofUser.get(message.userId)
    if (own === undefined) this.#ofUser.set(message.userId, [row])
    else own.push(row)
    return row
  }

  /** A row that is or was in the log. */
  row(id: number): LogRow | undefined {
    return this.#rows.get(id)
  }

  all(): IterableIterator<LogRow> {
    return this.#rows.values()
  }

  /** The rows of a user with a greater id that are still there, oldest first. */
  rowsAfter(userId: UserId, after: number): readonly LogRow[] {
    return (this.#ofUser.get(userId) ?? []).filter((row) => row.id > after && !row.deleted)
  }

  /** 0 for a user without messages. */
  headOf(userId: UserId): number {
    return this.rowsAfter(userId, 0).at(-1)?.id ?? 0
  }

  /** The newest id of a user, also of a row that was deleted since. */
  newestOf(userId: UserId): number {
    return this.#ofUser.get(userId)?.at(-1)?.id ?? 0
  }

  firstUnder(applicationId: number, key: string): LogRow | undefined {
    if (key === '') return undefined
    for (const row of this.#rows.values()) {
      const same = row.applicationId === applicationId && row.idempotencyKey === key
      if (same && !row.deleted) return row
    }
    return undefined
  }
}
