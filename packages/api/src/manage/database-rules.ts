/** Helpers that several stores share: row locks, violated constraints, deletions of any size. */
import { type ApplicationId, PushError, type UserId } from '@bellwire/common'
import type { Database } from '@bellwire/common/db'
import type { Kysely, Transaction } from 'kysely'

const UNIQUE_VIOLATION = '23505'
const FOREIGN_KEY_VIOLATION = '23503'
/** Rows a statement, so that none runs into the time limit of statements. */
const DELETE_CHUNK = 10_000

/** Lets one transaction at a time change what must be unique within a user. */
export async function lockUser(trx: Transaction<Database>, userId: UserId): Promise<void> {
  const row = await trx
    .selectFrom('users')
    .select('id')
    .where('id', '=', userId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (row === undefined) throw userIsGone()
}

/** For a request whose user was deleted while it ran. */
export function userIsGone(cause?: unknown): PushError {
  return new PushError(
    'UNAUTHENTICATED',
    'you need to provide a valid access token or user credentials to access this api',
    { cause },
  )
}

/** True when the error says that the row would be the second with its unique value. */
export function violatesUnique(error: unknown, constraint: string): boolean {
  return (
    sqlState(error) === UNIQUE_VIOLATION &&
    error instanceof Error &&
    'constraint' in error &&
    error.constraint === constraint
  )
}

/** True when the error says that the row's user does not exist any more. */
export function violatesForeignKey(error: unknown): boolean {
  return sqlState(error) === FOREIGN_KEY_VIOLATION
}

function sqlState(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/**
 * Deletes all messages of a user or of an application, however many there are.
 * @param stopped leaves the rest when it is aborted
 */
export async function deleteMessages(
  db: Kysely<Database>,
  owner: { readonly userId: UserId } | { readonly applicationId: ApplicationId },
  stopped?: AbortSignal,
): Promise<void> {
  const all = db.selectFrom('messages').select('id').limit(DELETE_CHUNK)
  const chunk =
    'userId' in owner
      ? all.where('user_id', '=', owner.userId)
      : all.where('application_id', '=', owner.applicationId)
  while (stopped?.aborted !== true) {
    const deletion = db.deleteFrom('messages').where('id', 'in', chunk)
    const { numDeletedRows } = await deletion.executeTakeFirstOrThrow()
    if (numDeletedRows < DELETE_CHUNK) return
  }
}
