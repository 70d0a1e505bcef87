export * from './postgres.ts'
export { migrate } from './migrate.ts'
export { createDatabase } from './query-builder.ts'
export type {
  ApplicationRow,
  ApplicationsTable,
  ApplicationUpdate,
  ClientRow,
  ClientsTable,
  ClientUpdate,
  Database,
  ImportedTable,
  MessageRow,
  MessagesTable,
  NewApplication,
  NewClient,
  NewMessage,
  NewUser,
  UserRow,
  UsersTable,
  UserUpdate,
} from './schema.ts'
export { DatabaseStartError } from './start-error.ts'
