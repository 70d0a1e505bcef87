/**
 * Takes over applications with their tokens, in either form, and their place in the list. Third
 * stage of an import; messages and images follow.
 */
import type { ApplicationId, UserId } from '@bellwire/common'
import type { ApplicationRow, NewApplication } from '@bellwire/common/db'
import { sortKeyAfter } from '../manage/sort-keys.ts'
import { notYetHere } from './already-here.ts'
import { allRows, type GotifyRow } from './gotify-source.ts'
import { idIn, numberOf, textOf } from './gotify-values.ts'
import { chunksOf, type ImportContext } from './import-context.ts'
import { leaveOutDeleted } from './import-log.ts'
import { timeIn } from './reported-values.ts'

export type ImportedApplication = NewApplication &
  Pick<ApplicationRow, 'id' | 'user_id' | 'token' | 'name' | 'image' | 'sort_key'>

/**
 * Returns the applications of the source that are here then.
 * @throws {ImportError} when another application is here under the same id
 */
export async function importApplications(
  context: ImportContext,
  userIds: ReadonlySet<number>,
): Promise<readonly ImportedApplication[]> {
  const { source, db, report } = context
  const all = (await allRows(source, 'applications')).map((row) => toApplication(row, context))
  const owned = all.filter(({ user_id }) => userIds.has(user_id))
  report.leftOut('applications of users that are gone', all.length - owned.length)

  const here = await db.selectFrom('applications').selectAll().execute()
  const applications = leaveOutDeleted(context, 'applications', owned, here, ({ token }) => token)
  const added = notYetHere('application', applications, here)
  const placed = withSortKeys(added, here)
  for (const chunk of chunksOf(placed)) await db.insertInto('applications').values(chunk).execute()
  report.added('applications', added.length)
  report.present('applications', applications.length - added.length)
  return applications
}

function toApplication(row: GotifyRow, { now, report }: ImportContext): ImportedApplication {
  const time = (column: string): number | null => timeIn('applications', row, column, report)
  return {
    id: idIn('applications', row) as ApplicationId,
    user_id: idIn('applications', row, 'user_id') as UserId,
    token: textOf(row['token']),
    token_hash: null,
    name: textOf(row['name']),
    description: textOf(row['description']),
    // Gotify says so of applications whose plugin is loaded, and forbids to delete them.
    internal: false,
    image: textOf(row['image']),
    default_priority: numberOf(row['default_priority']),
    created_at: time('created_at') ?? now,
    last_used: time('last_used'),
    sort_key: textOf(row['sort_key']),
    retention_days: null,
    retention_count: null,
  }
}

/** Gotify 2 has no sort keys: its applications follow in the order of their ids, as Gotify 3 does it. */
function withSortKeys(
  added: readonly ImportedApplication[],
  here: readonly ApplicationRow[],
): ImportedApplication[] {
  const keysOf = new Map<UserId, Set<string>>()
  const keys = (userId: UserId): Set<string> => {
    const known = keysOf.get(userId) ?? new Set()
    keysOf.set(userId, known)
    return known
  }
  for (const { user_id, sort_key } of here) keys(user_id).add(sort_key)
  const keyless = new Set<ImportedApplication>()
  for (const application of added) {
    const taken = keys(application.user_id)
    if (application.sort_key === '' || taken.has(application.sort_key)) keyless.add(application)
    else taken.add(application.sort_key)
  }
  return added.map((application) => {
    if (!keyless.has(application)) return application
    const taken = keys(application.user_id)
    const sort_key = sortKeyAfter([...taken].sort(byBytes).at(-1) ?? null)
    taken.add(sort_key)
    return { ...application, sort_key }
  })
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
