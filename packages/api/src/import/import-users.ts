/** Takes over users with their password hashes. Second stage of an import, after the look at the source. */
import type { UserId } from '@bellwire/common'
import type { UserRow } from '@bellwire/common/db'
import { conflict } from './already-here.ts'
import { allRows, type GotifyRow } from './gotify-source.ts'
import { booleanOf, idIn, textOf } from './gotify-values.ts'
import { chunksOf, type ImportContext } from './import-context.ts'
import { leaveOutDeleted } from './import-log.ts'
import { timeIn } from './reported-values.ts'

/**
 * Returns the ids of the users of the source that are here then.
 * @throws {ImportError} when a user of another name is here under the same id
 */
export async function importUsers(context: ImportContext): Promise<ReadonlySet<number>> {
  const { source, db, report } = context
  const all = (await allRows(source, 'users')).map((row) => toUser(row, context))
  const before = await db.selectFrom('users').select('id').execute()
  const users = leaveOutDeleted(context, 'users', all, before, identity)
  await makeRoom(context, users)
  const here = await db.selectFrom('users').selectAll().execute()
  const byId = new Map<number, UserRow>(here.map((user) => [user.id, user]))
  const byName = new Map(here.map((user) => [user.name, user]))

  const added = users.filter((user) => {
    const known = byId.get(user.id)
    if (known === undefined) {
      if (byName.has(user.name)) throw conflict('user', user, byName.get(user.name))
      return true
    }
    // Either may have been changed since an earlier run.
    if (known.name !== user.name && known.pass !== user.pass) throw conflict('user', user, known)
    return false
  })
  for (const chunk of chunksOf(added)) await db.insertInto('users').values(chunk).execute()
  report.added('users', added.length)
  report.present('users', users.length - added.length)
  return new Set(users.map(({ id }) => id))
}

/**
 * The administrator that a first start makes stands in the way of the one who moves in: alone and
 * without anything of its own, it goes.
 */
async function makeRoom({ db }: ImportContext, users: readonly UserRow[]): Promise<void> {
  const here = await db.selectFrom('users').selectAll().limit(2).execute()
  const [only] = here
  if (only === undefined || here.length > 1 || !users.some(({ admin }) => admin)) return
  for (const table of ['applications', 'clients'] as const) {
    const owned = await db.selectFrom(table).select('id').limit(1).executeTakeFirst()
    if (owned !== undefined) return
  }
  const known = users.some(
    ({ id, name, pass }) => id === only.id && name === only.name && pass === only.pass,
  )
  if (!known) await db.deleteFrom('users').where('id', '=', only.id).execute()
}

/** No two users have the same salt, so a hash tells them apart as a name does not. */
function identity({ name, pass }: UserRow): string {
  return pass ?? name
}

function toUser(row: GotifyRow, { now, report }: ImportContext): UserRow {
  return {
    id: idIn('users', row) as UserId,
    name: textOf(row['name']),
    // Empty for users of an OIDC provider.
    pass: textOf(row['pass']) || null,
    admin: booleanOf(row['admin']),
    created_at: timeIn('users', row, 'created_at', report) ?? now,
    oidc_id: textOf(row['oidc_id']) || null,
  }
}
