/**
 * Deletes messages that are older, or more, than their application is to keep. Main thread, every
 * five minutes; several processes on one database may do it at once. What is deleted is announced.
 */
import type { ApplicationId, Clock, MessageId, UserId } from '@bellwire/common'
import type { Database } from '@bellwire/common/db'
import { type Kysely, sql } from 'kysely'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Changes } from '../changes.ts'
import { type PeriodicJob, startPeriodicJob } from '../periodic-job.ts'

const PERIOD_MS = 5 * 60 * 1000
const DAY_MS = 24 * 60 * 60 * 1000
/** Applications looked up by one statement. */
const APPLICATIONS = 100
/** Oldest messages whose dates are looked at in each run, of each application that has days. */
const LOOK = 100
/** Messages that one statement goes through to delete: a publish waits for no more than that. */
const BATCH = 250

export interface RetentionDeps {
  readonly db: Kysely<Database>
  readonly changes: Changes
  readonly clock: Clock
  /** For applications without a rule of their own; 0: keep. */
  readonly defaults: { readonly days: number; readonly count: number }
  readonly onError: (error: unknown) => void
}

/** An application with a rule, and what it holds that it is not to keep. */
interface Held {
  readonly id: ApplicationId
  readonly user_id: UserId
  /** 0: no bound. */
  readonly days: number
  /** Whether one of its oldest messages is too old. */
  readonly overdue: boolean
  /** Newest message that is one too many; null: none is. */
  readonly surplus: MessageId | null
}

export function startRetentionJob(deps: RetentionDeps): PeriodicJob {
  return startPeriodicJob((stopped) => runRetention(deps, stopped), PERIOD_MS, deps.onError)
}

/**
 * One run over all applications.
 * @param stopped ends it after the statement under way
 */
export async function runRetention(deps: RetentionDeps, stopped?: AbortSignal): Promise<void> {
  let last = 0 as ApplicationId
  for (;;) {
    const page = await findHeld(deps, last)
    for (const application of page) {
      if (application.overdue || application.surplus !== null) {
        await deleteOverdue(deps, application, stopped)
      }
      last = application.id
    }
    if (page.length < APPLICATIONS || stopped?.aborted === true) return
  }
}

/**
 * Looks at the ends of each application's index only, so its cost is that of the applications. Ids
 * follow dates but for what an import brought: a message may be dated years after its successors.
 * Up to 99 such hide nothing. An application whose 100 oldest are all dated late keeps what comes
 * after them, until one of those is too old itself.
 */
async function findHeld(
  { db, clock, defaults }: RetentionDeps,
  after: ApplicationId,
): Promise<readonly Held[]> {
  const { rows } = await sql<Held>`
    select a.id, a.user_id, rule.days, exists (
        select from (
          select m.date from messages m
          where rule.days > 0 and m.application_id = a.id order by m.id limit ${LOOK}
        ) as oldest
        where oldest.date < ${clock.now()}::bigint - rule.days * ${DAY_MS}
      ) as overdue, (
        select m.id from messages m
        where rule.count > 0 and m.application_id = a.id
        order by m.id desc offset rule.count limit 1
      ) as surplus
    from applications a cross join lateral (
      select coalesce(a.retention_days, ${defaults.days}) as days,
        coalesce(a.retention_count, ${defaults.count}) as count
    ) as rule
    where a.id > ${after} and (rule.days > 0 or rule.count > 0)
    order by a.id limit ${APPLICATIONS}`.execute(db)
  return rows
}

async function deleteOverdue(
  deps: RetentionDeps,
  application: Held,
  stopped?: AbortSignal,
): Promise<void> {
  const { id, user_id: userId, days, surplus } = application
  const { changes, clock } = deps
  const tooOld = days > 0 ? clock.now() - days * DAY_MS : 0
  let last: MessageId | undefined = 0 as MessageId
  while (stopped?.aborted !== true) {
    const start = performance.now()
    const messageIds = await deleteOldest(deps.db, id, last, tooOld, surplus ?? (0 as MessageId))
    last = messageIds.at(-1)
    if (last === undefined) return
    changes.announce({ kind: 'message-deleted', userId, messageIds })
    // Half of the time belongs to those who publish.
    await sleep(performance.now() - start)
  }
}

/**
 * Deletes what is too old or surplus of the oldest messages after the given one, and returns the ids
 * in ascending order. The next batch goes on after the last of them: it passes over messages that
 * are dated late, and the first batch with nothing to delete is the end. Rows that another process
 * is deleting are left to it.
 */
async function deleteOldest(
  db: Kysely<Database>,
  applicationId: ApplicationId,
  after: MessageId,
  tooOld: number,
  surplus: MessageId,
): Promise<readonly MessageId[]> {
  const oldest = db
    .selectFrom('messages')
    .select(['id', 'date'])
    .where('application_id', '=', applicationId)
    .where('id', '>', after)
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
