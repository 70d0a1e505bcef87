/**
 * How long an application keeps its messages, and how many. Never edited after a release: a change
 * is a new file.
 */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('applications')
    .addColumn('retention_days', 'bigint')
    .addColumn('retention_count', 'bigint')
    .execute()
}
