/**
 * The users in the database. Main thread; user-routes.ts and current-user-routes.ts call it. Keeps
 * the rule that there is always an admin, also when two admins remove each other at once.
 */
import { PushError, type UserId } from '@bellwire/common'
import type { Database, UserRow } from '@bellwire/common/db'
import type { Kysely, Transaction } from 'kysely'
import { deleteMessages, violatesUnique } from './database-rules.ts'

export interface UserFields {
  readonly name: string
  readonly admin: boolean
}

export class UserStore {
  readonly #db: Kysely<Database>

  constructor(db: Kysely<Database>) {
    this.#db = db
  }

  list(): Promise<UserRow[]> {
    return this.#db.selectFrom('users').selectAll().orderBy('id').execute()
  }

  async find(id: UserId): Promise<UserRow | null> {
    const query = this.#db.selectFrom('users').selectAll().where('id', '=', id)
    return (await query.executeTakeFirst()) ?? null
  }

  /** @throws PushError BAD_REQUEST if the name is taken. */
  async create(fields: UserFields, passHash: string, now: number): Promise<UserRow> {
    const values = { ...fields, pass: passHash, created_at: now, oidc_id: null }
    try {
      const insert = this.#db.insertInto('users').values(values)
      return await insert.returningAll().executeTakeFirstOrThrow()
    } catch (error) {
      throw explainName(error)
    }
  }

  /**
   * Returns null if there is no such user. @param passHash null keeps the password
   * @throws PushError BAD_REQUEST if the name is taken or the last admin would be none any more.
   */
  async update(id: UserId, fields: UserFields, passHash: string | null): Promise<UserRow | null> {
    try {
      return await this.#db.transaction().execute(async (trx) => {
        if (!fields.admin) await keepAnAdmin(trx, id)
        const row = await trx
          .updateTable('users')
          .set({ ...fields, ...(passHash !== null && { pass: passHash }) })
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst()
        return row ?? null
      })
    } catch (error) {
      throw explainName(error)
    }
  }

  async setPassword(id: UserId, passHash: string): Promise<void> {
    await this.#db.updateTable('users').set({ pass: passHash }).where('id', '=', id).execute()
  }

  /**
   * Deletes the user with applications, clients and messages in one transaction. Returns the names
   * of the images that no row names any more, or null if there is no such user.
   * @throws PushError BAD_REQUEST for the last admin.
   */
  remove(id: UserId): Promise<string[] | null> {
    return this.#db.transaction().execute(async (trx) => {
      await keepAnAdmin(trx, id)
      const applications = await trx
        .selectFrom('applications')
        .select('image')
        .where('user_id', '=', id)
        .where('image', '!=', '')
        .execute()
      await deleteMessages(trx, { userId: id })
      // Applications and clients go with the row, by their foreign keys.
      const result = await trx.deleteFrom('users').where('id', '=', id).executeTakeFirstOrThrow()
      return result.numDeletedRows === 0n ? null : applications.map(({ image }) => image)
    })
  }
}

/** Locks the admins in a fixed order, so that of two transactions the second sees what the first did. */
async function keepAnAdmin(trx: Transaction<Database>, leaving: UserId): Promise<void> {
  const admins = await trx
    .selectFrom('users')
    .select('id')
    .where('admin', '=', true)
    .orderBy('id')
    .forUpdate()
    .execute()
  if (admins.length === 1 && admins[0]?.id === leaving) {
    throw new PushError('BAD_REQUEST', 'cannot delete last admin')
  }
}

function explainName(error: unknown): unknown {
  if (!violatesUnique(error, 'users_name_key')) return error
  return new PushError('BAD_REQUEST', 'username already exists', { cause: error })
}
