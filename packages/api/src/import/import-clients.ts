/** Takes over clients with their tokens, in either form, elevation and expiry. Fourth stage of an import. */
import type { ClientId, UserId } from '@bellwire/common'
import type { ClientRow } from '@bellwire/common/db'
import { notYetHere } from './already-here.ts'
import { allRows, type GotifyRow } from './gotify-source.ts'
import { idIn, numberOf, textOf } from './gotify-values.ts'
import { chunksOf, type ImportContext } from './import-context.ts'
import { leaveOutDeleted } from './import-log.ts'
import { timeIn } from './reported-values.ts'

/** @throws {ImportError} when another client is here under the same id */
export async function importClients(
  context: ImportContext,
  userIds: ReadonlySet<number>,
): Promise<void> {
  const { source, db, report } = context
  const all = (await allRows(source, 'clients')).map((row) => toClient(row, context))
  const owned = all.filter(({ user_id }) => userIds.has(user_id))
  report.leftOut('clients of users that are gone', all.length - owned.length)

  const here = await db.selectFrom('clients').select(['id', 'user_id', 'token', 'name']).execute()
  const clients = leaveOutDeleted(context, 'clients', owned, here, ({ token }) => token)
  const added = notYetHere('client', clients, here)
  for (const chunk of chunksOf(added)) await db.insertInto('clients').values(chunk).execute()
  report.added('clients', added.length)
  report.present('clients', clients.length - added.length)
}

function toClient(row: GotifyRow, { now, report }: ImportContext): ClientRow {
  const time = (column: string): number | null => timeIn('clients', row, column, report)
  return {
    id: idIn('clients', row) as ClientId,
    user_id: idIn('clients', row, 'user_id') as UserId,
    token: textOf(row['token']),
    token_hash: null,
    name: textOf(row['name']),
    created_at: time('created_at') ?? now,
    last_used: time('last_used'),
    elevated_until: time('elevated_until'),
    expires_after_inactivity_seconds: numberOf(row['expires_after_inactivity_seconds']),
    expires_at: time('expires_at'),
  }
}
