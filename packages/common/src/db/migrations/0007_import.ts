/**
 * What imports have brought, so that the next one doesn't bring back what was deleted since. Never
 * edited after a release: a change is a new file.
 */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('imported')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('id', 'bigint', (column) => column.notNull())
    .addColumn('identity', 'bytea', (column) => column.notNull())
    .addPrimaryKeyConstraint('imported_pkey', ['kind', 'id'])
    .execute()
  await db.schema
    .createTable('imported_messages')
    .addColumn('first_id', 'bigint', (column) => column.primaryKey())
    .addColumn('last_id', 'bigint', (column) => column.notNull())
    .execute()
}
