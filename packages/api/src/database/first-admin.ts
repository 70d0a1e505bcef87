/**
 * The first user: an administrator named by GOTIFY_DEFAULTUSER_NAME, made when there is no user at
 * all. Runs once at start, after the migrations.
 */
import type { Clock } from '@bellwire/common'
import type { Database } from '@bellwire/common/db'
import { sql, type Kysely } from 'kysely'

export interface FirstAdminOptions {
  readonly name: string
  readonly pass: string
  readonly hash: (pass: string) => Promise<string>
  readonly clock: Clock
}

/** Tells whether it made one. Two processes that start at once make one user between them. */
export async function createFirstAdmin(
  db: Kysely<Database>,
  options: FirstAdminOptions,
): Promise<boolean> {
  if (await hasUsers(db)) return false
  // Slow by design, so before the lock.
  const pass = await options.hash(options.pass)
  return db.transaction().execute(async (transaction) => {
    await sql`lock table users in share row exclusive mode`.execute(transaction)
    if (await hasUsers(transaction)) return false
    await transaction
      .insertInto('users')
      .values({
        name: options.name,
        pass,
        admin: true,
        created_at: options.clock.now(),
        oidc_id: null,
      })
      .execute()
    return true
  })
}

async function hasUsers(db: Kysely<Database>): Promise<boolean> {
  const user = await db.selectFrom('users').select('id').limit(1).executeTakeFirst()
  return user !== undefined
}
