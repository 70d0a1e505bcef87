/** The applications of a user in the database. Main thread; application-routes.ts calls it. */
import { type ApplicationId, PushError, type UserId } from '@bellwire/common'
import type { ApplicationRow, ApplicationUpdate, Database } from '@bellwire/common/db'
import type { Kysely, Transaction } from 'kysely'
import { lockUser, violatesUnique } from './database-rules.ts'
import { sortKeyAfter } from './sort-keys.ts'

export interface ApplicationFields {
  readonly name: string
  readonly description: string
  readonly defaultPriority: number
  /** '' puts a new application last and leaves an old one where it is. */
  readonly sortKey: string
  readonly retentionDays: Retention
  readonly retentionCount: Retention
}

/** null leaves it as it is; AS_CONFIGURED goes back to the setting; 0 keeps all. */
export type Retention = number | null
export const AS_CONFIGURED = -1

/** A token as the database holds it. */
export interface StoredToken {
  readonly stored: string
  readonly hash: Buffer
}

export class ApplicationStore {
  readonly #db: Kysely<Database>

  constructor(db: Kysely<Database>) {
    this.#db = db
  }

  list(userId: UserId): Promise<ApplicationRow[]> {
    return this.#db
      .selectFrom('applications')
      .selectAll()
      .where('user_id', '=', userId)
      .orderBy('sort_key')
      .orderBy('id')
      .execute()
  }

  async find(userId: UserId, id: ApplicationId): Promise<ApplicationRow | null> {
    const query = this.#db.selectFrom('applications').selectAll()
    const row = await query.where('id', '=', id).where('user_id', '=', userId).executeTakeFirst()
    return row ?? null
  }

  /** @throws PushError BAD_REQUEST if another application of the user has the sort key. */
  create(
    userId: UserId,
    fields: ApplicationFields,
    token: StoredToken,
    now: number,
  ): Promise<ApplicationRow> {
    return this.#changeOrder(userId, async (trx) =>
      trx
        .insertInto('applications')
        .values({
          user_id: userId,
          token: token.stored,
          token_hash: token.hash,
          name: fields.name,
          description: fields.description,
          default_priority: fields.defaultPriority,
          created_at: now,
          last_used: null,
          sort_key: fields.sortKey || (await nextSortKey(trx, userId)),
          ...retentionColumns(fields),
        })
        .returningAll()
        .executeTakeFirstOrThrow(),
    )
  }

  /**
   * Returns null if the user has no such application.
   * @throws PushError BAD_REQUEST if another application of the user has the sort key.
   */
  update(
    userId: UserId,
    id: ApplicationId,
    fields: ApplicationFields,
  ): Promise<ApplicationRow | null> {
    return this.#changeOrder(userId, async (trx) => {
      const row = await trx
        .updateTable('applications')
        .set({
          name: fields.name,
          description: fields.description,
          default_priority: fields.defaultPriority,
          ...(fields.sortKey !== '' && { sort_key: fields.sortKey }),
          ...retentionColumns(fields),
        })
        .where('id', '=', id)
        .where('user_id', '=', userId)
        .returningAll()
        .executeTakeFirst()
      return row ?? null
    })
  }

  /** Returns false if the user has no such application any more. */
  async replaceToken(userId: UserId, id: ApplicationId, token: StoredToken): Promise<boolean> {
    const result = await this.#db
      .updateTable('applications')
      .set({ token: token.stored, token_hash: token.hash })
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .executeTakeFirstOrThrow()
    return result.numUpdatedRows > 0n
  }

  /** Puts another image name in place and returns the row and the name it had before. */
  replaceImage(
    userId: UserId,
    id: ApplicationId,
    image: string,
  ): Promise<{ row: ApplicationRow; before: string } | null> {
    return this.#db.transaction().execute(async (trx) => {
      const old = await trx
        .selectFrom('applications')
        .select('image')
        .where('id', '=', id)
        .where('user_id', '=', userId)
        .forNoKeyUpdate()
        .executeTakeFirst()
      if (old === undefined) return null
      const row = await trx
        .updateTable('applications')
        .set({ image })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
      return { row, before: old.image }
    })
  }

  /** Removes the row alone, its messages stay; returns false if it was gone. */
  async remove(userId: UserId, id: ApplicationId): Promise<boolean> {
    const result = await this.#db
      .deleteFrom('applications')
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .executeTakeFirstOrThrow()
    return result.numDeletedRows > 0n
  }

  /** One at a time for a user, so that two new applications never get the same generated key. */
  async #changeOrder<T>(
    userId: UserId,
    change: (trx: Transaction<Database>) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#db.transaction().execute(async (trx) => {
        await lockUser(trx, userId)
        return change(trx)
      })
    } catch (error) {
      if (!violatesUnique(error, 'applications_user_id_sort_key_key')) throw error
      throw new PushError('BAD_REQUEST', 'sort key is not unique', { cause: error })
    }
  }
}

function retentionColumns({
  retentionDays,
  retentionCount,
}: Pick<ApplicationFields, 'retentionDays' | 'retentionCount'>): Pick<
  ApplicationUpdate,
  'retention_days' | 'retention_count'
> {
  return {
    ...(retentionDays !== null && { retention_days: columnOf(retentionDays) }),
    ...(retentionCount !== null && { retention_count: columnOf(retentionCount) }),
  }
}

function columnOf(retention: number): number | null {
  return retention === AS_CONFIGURED ? null : retention
}

async function nextSortKey(trx: Transaction<Database>, userId: UserId): Promise<string> {
  const last = await trx
    .selectFrom('applications')
    .select('sort_key')
    .where('user_id', '=', userId)
    .orderBy('sort_key', 'desc')
    .limit(1)
    .executeTakeFirst()
  return sortKeyAfter(last?.sort_key ?? null)
}
