/**
 * The part of db/ that shard workers use: connections without the query builder, which would cost
 * each worker thread 13 MB (measured).
 */
export { endsSession, isUnavailable, shortageOf, toPushError } from './availability.ts'
export { clientConfig, createPool, type ClientOptions, type PoolOptions } from './connect.ts'
export type { DatabaseConnection, DatabaseTls } from './connection.ts'
export { resultTypes } from './int8.ts'
export { LastingConnection } from './lasting-connection.ts'
export { Notifications, type NotificationsOptions } from './notifications.ts'
