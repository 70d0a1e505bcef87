/**
 * The clients of a user in the database. Main thread; client-routes.ts and session-routes.ts call
 * it. A client that has expired counts as gone at once; expiry-job.ts removes its row later.
 */
import type { ClientId, UserId } from '@bellwire/common'
import type { ClientRow, Database } from '@bellwire/common/db'
import { type Kysely, sql } from 'kysely'
import type { StoredToken } from './application-store.ts'
import { userIsGone, violatesForeignKey } from './database-rules.ts'

export interface NewClientFields {
  readonly name: string
  /** 0: never. */
  readonly expiresAfterInactivitySeconds: number
  /** Milliseconds since 1970, null for a plain client. */
  readonly elevatedUntil: number | null
}

export class ClientStore {
  readonly #db: Kysely<Database>

  constructor(db: Kysely<Database>) {
    this.#db = db
  }

  list(userId: UserId, now: number): Promise<ClientRow[]> {
    return this.#db
      .selectFrom('clients')
      .selectAll()
      .where('user_id', '=', userId)
      .where(alive(now))
      .orderBy('id')
      .execute()
  }

  async find(userId: UserId, id: ClientId, now: number): Promise<ClientRow | null> {
    const row = await this.#db
      .selectFrom('clients')
      .selectAll()
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .where(alive(now))
      .executeTakeFirst()
    return row ?? null
  }

  async create(
    userId: UserId,
    fields: NewClientFields,
    token: StoredToken,
    now: number,
  ): Promise<ClientRow> {
    const seconds = fields.expiresAfterInactivitySeconds
    const values = {
      user_id: userId,
      token: token.stored,
      token_hash: token.hash,
      name: fields.name,
      created_at: now,
      last_used: null,
      elevated_until: fields.elevatedUntil,
      expires_after_inactivity_seconds: seconds,
      expires_at: seconds === 0 ? null : now + seconds * 1000,
    }
    try {
      const insert = this.#db.insertInto('clients').values(values)
      return await insert.returningAll().executeTakeFirstOrThrow()
    } catch (error) {
      if (violatesForeignKey(error)) throw userIsGone(error)
      throw error
    }
  }

  /** Returns null if the user has no such client. @param seconds null keeps the expiry */
  async update(
    userId: UserId,
    id: ClientId,
    name: string,
    seconds: number | null,
    now: number,
  ): Promise<ClientRow | null> {
    const inactivity = seconds !== null && {
      expires_after_inactivity_seconds: seconds,
      expires_at:
        seconds === 0 ? null : sql<number>`coalesce(last_used, created_at) + ${seconds * 1000}`,
    }
    const row = await this.#db
      .updateTable('clients')
      .set({ name, ...inactivity })
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .where(alive(now))
      .returningAll()
      .executeTakeFirst()
    return row ?? null
  }

  /** Returns false if the user has no such client. @param until milliseconds since 1970 */
  async elevate(userId: UserId, id: ClientId, until: number, now: number): Promise<boolean> {
    const result = await this.#db
      .updateTable('clients')
      .set({ elevated_until: until })
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .where(alive(now))
      .executeTakeFirstOrThrow()
    return result.numUpdatedRows > 0n
  }

  /** Returns false if the user has no such client. */
  async remove(userId: UserId, id: ClientId, now: number): Promise<boolean> {
    const result = await this.#db
      .deleteFrom('clients')
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .where(alive(now))
      .executeTakeFirstOrThrow()
    return result.numDeletedRows > 0n
  }
}

function alive(now: number) {
  return sql<boolean>`(expires_at is null or expires_at > ${now})`
}
