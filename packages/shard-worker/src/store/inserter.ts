/**
 * Stores batches, in the two ways there are: alone, where one session writes all messages of a
 * user and ids grow by themselves; and shared, where other processes write too and locks keep id
 * order and commit order the same.
 */
import { shardOf, type ApplicationId, type UserId } from '@bellwire/common'
import type pg from 'pg'
import {
  INSERT_KEYED,
  INSERT_PLAIN,
  INSERT_SHARED,
  keyedColumns,
  plainColumns,
  USER_LOCKS,
} from './insert-sql.ts'
import { UNKNOWN_PREVIOUS, type NewMessage } from './message-store.ts'

/** Runs a statement on the committing connection. */
export type Write = (
  query: pg.QueryConfig & { rowMode?: 'array' },
) => Promise<{ readonly rows: readonly unknown[] }>

/** A row that was stored; rows that were not, because their key is taken, are missing. */
export interface Inserted {
  readonly id: number
  readonly previousId: number | null
}

export interface Inserter {
  /** One a row, in the order of the batch. */
  plain(batch: readonly NewMessage[]): Promise<readonly Inserted[]>
  /** By {@link keyOf}; of rows with the same key only one is stored. */
  keyed(batch: readonly NewMessage[]): Promise<Map<string, Inserted>>
}

export function keyOf(applicationId: ApplicationId, idempotencyKey: string): string {
  return `${applicationId} ${idempotencyKey}`
}

export class AloneInserter implements Inserter {
  readonly #write: Write

  constructor(write: Write) {
    this.#write = write
  }

  async plain(batch: readonly NewMessage[]): Promise<readonly Inserted[]> {
    const { rows } = await this.#write({ ...INSERT_PLAIN, values: plainColumns(batch) })
    return (rows as [number][]).map(([id]) => ({ id, previousId: null }))
  }

  async keyed(batch: readonly NewMessage[]): Promise<Map<string, Inserted>> {
    const { rows } = await this.#write({ ...INSERT_KEYED, values: keyedColumns(batch) })
    return new Map(
      (rows as KeyedRow[]).map((row) => [keyOfRow(row), { id: row.id, previousId: null }]),
    )
  }
}

export class SharedInserter implements Inserter {
  readonly #write: Write
  readonly #isListening: (userId: UserId) => boolean

  /** @param isListening tells whether a user has connections here: only then the order matters to us */
  constructor(write: Write, isListening: (userId: UserId) => boolean) {
    this.#write = write
    this.#isListening = isListening
  }

  async plain(batch: readonly NewMessage[]): Promise<readonly Inserted[]> {
    const rows = await this.#insert(batch)
    const previous = new PreviousIds()
    return rows.map((row, index) => previous.take(batch[index]?.userId, row))
  }

  async keyed(batch: readonly NewMessage[]): Promise<Map<string, Inserted>> {
    const userOf = new Map(
      batch.map((row) => [keyOf(row.applicationId, row.idempotencyKey), row.userId]),
    )
    const previous = new PreviousIds()
    const rows = await this.#insert(batch)
    return new Map(
      rows.map((row) => {
        const key = keyOfRow(row)
        return [key, previous.take(userOf.get(key), row)]
      }),
    )
  }

  async #insert(batch: readonly NewMessage[]): Promise<readonly SharedRow[]> {
    const userIds = [...new Set(batch.map((row) => row.userId))]
    // Ascending, or two processes could wait for each other.
    const locks = [...new Set(userIds.map((userId) => shardOf(userId, USER_LOCKS)))]
    locks.sort((a, b) => a - b)
    const listening = userIds.filter((userId) => this.#isListening(userId))
    const { rows } = await this.#write({
      ...INSERT_SHARED,
      values: [...keyedColumns(batch), locks, listening],
    })
    return rows as SharedRow[]
  }
}

interface KeyedRow {
  readonly id: number
  readonly application_id: ApplicationId
  readonly idempotency_key: string
}

interface SharedRow extends KeyedRow {
  /** The user's newest id before the batch; null when it was not asked for. */
  readonly previous: number | null
}

/** Chains the ids of a batch: before the second row of a user comes its first. */
class PreviousIds {
  readonly #last = new Map<UserId | undefined, number>()

  take(userId: UserId | undefined, { id, previous }: SharedRow): Inserted {
    const previousId = this.#last.get(userId) ?? previous ?? UNKNOWN_PREVIOUS
    this.#last.set(userId, previous === null ? UNKNOWN_PREVIOUS : id)
    return { id, previousId }
  }
}

function keyOfRow(row: KeyedRow): string {
  return keyOf(row.application_id, row.idempotency_key)
}
