export { isUnavailable, toPushError } from './availability.ts'
export {
  clientConfig,
  createDatabase,
  createPool,
  type ClientOptions,
  type PoolOptions,
} from './connect.ts'
export type { DatabaseConnection, DatabaseTls } from './connection.ts'
export { resultTypes } from './int8.ts'
export { migrate } from './migrate.ts'
export { Notifications, type NotificationsOptions } from './notifications.ts'
export type {
  ApplicationRow,
  ApplicationsTable,
  ApplicationUpdate,
  ClientRow,
  ClientsTable,
  ClientUpdate,
  Database,
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
