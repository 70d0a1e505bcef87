/** Users, applications, clients, messages. Never edited after a release: a change is a new file. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .createTable('users')
    .addColumn('id', 'bigint', (column) => column.generatedByDefaultAsIdentity().primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('pass', 'text')
    .addColumn('admin', 'boolean', (column) => column.notNull().defaultTo(false))
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('oidc_id', 'text', (column) => column.unique())
    .execute()

  await schema
    .createTable('applications')
    .addColumn('id', 'bigint', (column) => column.generatedByDefaultAsIdentity().primaryKey())
    .addColumn('user_id', 'bigint', (column) =>
      column.notNull().references('users.id').onDelete('cascade'),
    )
    .addColumn('token', 'text', (column) => column.notNull().unique())
    .addColumn('token_hash', 'bytea', (column) => column.unique())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull().defaultTo(''))
    .addColumn('internal', 'boolean', (column) => column.notNull().defaultTo(false))
    .addColumn('image', 'text', (column) => column.notNull().defaultTo(''))
    .addColumn('default_priority', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used', 'bigint')
    // Fractional indexes are made for byte order; a language's order would shuffle them.
    .addColumn('sort_key', sql`text collate "C"`, (column) => column.notNull())
    // Its index serves "applications of a user, sorted" and the cascade as well.
    .addUniqueConstraint('applications_user_id_sort_key_key', ['user_id', 'sort_key'])
    .execute()

  await schema
    .createTable('clients')
    .addColumn('id', 'bigint', (column) => column.generatedByDefaultAsIdentity().primaryKey())
    .addColumn('user_id', 'bigint', (column) =>
      column.notNull().references('users.id').onDelete('cascade'),
    )
    .addColumn('token', 'text', (column) => column.notNull().unique())
    .addColumn('token_hash', 'bytea', (column) => column.unique())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used', 'bigint')
    .addColumn('elevated_until', 'bigint')
    .addColumn('expires_after_inactivity_seconds', 'bigint', (column) =>
      column.notNull().defaultTo(0),
    )
    .addColumn('expires_at', 'bigint')
    .execute()
  await schema.createIndex('clients_user_id').on('clients').column('user_id').execute()
  await schema
    .createIndex('clients_expires_at')
    .on('clients')
    .column('expires_at')
    .where('expires_at', 'is not', null)
    .execute()

  await schema
    .createTable('messages')
    .addColumn('id', 'bigint', (column) => column.generatedByDefaultAsIdentity().primaryKey())
    .addColumn('user_id', 'bigint', (column) => column.notNull())
    .addColumn('application_id', 'bigint', (column) => column.notNull())
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .addColumn('priority', 'bigint', (column) => column.notNull())
    .addColumn('extras', 'text')
    .addColumn('date', 'bigint', (column) => column.notNull())
    .addColumn('idempotency_key', 'text')
    .addColumn('idempotency_hash', 'bytea')
    .execute()
  await schema
    .createIndex('messages_user_id_id')
    .on('messages')
    .columns(['user_id', 'id'])
    .execute()
  await schema
    .createIndex('messages_application_id_id')
    .on('messages')
    .columns(['application_id', 'id'])
    .execute()
  await schema
    .createIndex('messages_application_id_idempotency_key')
    .on('messages')
    .columns(['application_id', 'idempotency_key'])
    .unique()
    .where('idempotency_key', 'is not', null)
    .execute()
}
