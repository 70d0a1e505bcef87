/**
 * Deletes messages that are older, or more, than their application is to keep. Main thread, every
 * five minutes; several processes on one database may do it at once. What is deleted is announced.
 */
import type { ApplicationId, Clock, MessageId, UserId } from '@bellwire/common'
import type { Database } from '@bellwire/common/db'
import { type Kysely, sql } from 'kysely'
import type { Changes } from '../changes.ts'
import { type PeriodicJob, startPeriodicJob } from '../periodic-job.ts'

const PERIOD_MS = 5 * 60 * 1000
const DAY_MS = 24 * 60 * 60 * 1000
/** Applications looked up, and messages deleted, by one statement: short locks, little memory. */
const BATCH = 1_000

export interface RetentionDeps {
  readonly db: Kysely<Database>
  readonly changes: Changes
  readonly clock: Clock
  /** For applications without a rule of their own; 0: keep. */
  readonly defaults: { readonly days: number; readonly count: number }
  readonly onError: (error: unknown) => void
}

/** An application that holds more than it is to keep. */
interface Overdue {
  readonly id: ApplicationId
  readonly user_id: UserId
  /** 0: no bound. */
  readonly days: number
  /** Newest message that is one too many; null: none is. */
  readonly surplus: MessageId | null
}

export function startRetentionJob(deps: RetentionDeps): PeriodicJob {
  return startPeriodicJob(() => runRetention(deps), PERIOD_MS, deps.onError)
}

/** One run over all applications. */
export async function runRetention(deps: RetentionDeps): Promise<void> {
  let last = 0 as ApplicationId
  for (;;) {
    const overdue = await findOverdue(deps, last)
    for (const application of overdue) {
      await deleteOverdue(deps, application)
      last = application.id
    }
    if (overdue.length < BATCH) return
  }
}

/** Looks at the ends of each application's index only, so its cost is that of the applications. */
async function findOverdue(
  { db, clock, defaults }: RetentionDeps,
  after: ApplicationId,
): Promise<readonly Overdue[]> {
  const { rows } = await sql<Overdue>`
    select id, user_id, days, surplus
    from (
      select a.id, a.user_id, rule.days, (
          select m.date from messages m
          where rule.days > 0 and m.application_id = a.id order by m.id limit 1
        ) as oldest, (
          select m.id from messages m
          where rule.count > 0 and m.application_id = a.id
          order by m.id desc offset rule.count limit 1
        ) as surplus
      from applications a cross join lateral (
        select coalesce(a.retention_days, ${defaults.days}) as days,
          coalesce(a.retention_count, ${defaults.count}) as count
      ) as rule
      where a.id > ${after} and (rule.days > 0 or rule.count > 0)
    ) as held
    where oldest < ${clock.now()}::bigint - days * ${DAY_MS} or surplus is not null
    order by id limit ${BATCH}`.execute(db)
  return rows
}

async function deleteOverdue(deps: RetentionDeps, application: Overdue): Promise<void> {
  const { id, user_id: userId, days, surplus } = application
  const { changes, clock } = deps
  const tooOld = days > 0 ? clock.now() - days * DAY_MS : 0
  for (;;) {
    const deleted = await deleteOldest(deps.db, id, tooOld, surplus ?? (0 as MessageId))
    for (const messageId of deleted)
      changes.announce({ kind: 'message-deleted', userId, messageId })
    if (deleted.length === 0) return
  }
}

/**
 * Deletes from the oldest messages on. Ids follow dates, so the first batch without a message to
 * delete is the end. Rows that another process is deleting are left to it.
 */
async function deleteOldest(
  db: Kysely<Database>,
  applicationId: ApplicationId,
  tooOld: number,
  surplus: MessageId,
): Promise<readonly MessageId[]> {
  const oldest = db
    .selectFrom('messages')
    .select(['id', 'date'])
    .where('application_id', '=', applicationId)
    .orderBy('id')
    .limit(BATCH)
    .forUpdate()
    .skipLocked()
  const rows = await db
    .with('oldest', () => oldest)
    .deleteFrom('messages')
    .using('oldest')
    .whereRef('messages.id', '=', 'oldest.id')
    .where((where) =>
      where.or([where('oldest.date', '<', tooOld), where('oldest.id', '<=', surplus)]),
    )
    .returning('messages.id')
    .execute()
  return rows.map(({ id }) => id).sort((a, b) => a - b)
}
