/**
 * Sign-ins through a provider that have begun and not ended. Never edited after a release: a change
 * is a new file.
 */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('oidc_flows')
    .addColumn('state', 'text', (column) => column.primaryKey())
    .addColumn('flow', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('oidc_flows_expires_at')
    .on('oidc_flows')
    .column('expires_at')
    .execute()
}
