/**
 * The tables as Kysely sees them; migrations/ creates them. Any thread.
 *
 * One rule for times: every time is a `bigint` of milliseconds since 1970, UTC, in the database and
 * in rows alike. A comparison, a parameter and a result are then the same number on both sides, and
 * none depends on a session's time zone. (In psql: `to_timestamp(date / 1000.0)`.)
 * Every `bigint` arrives as a JavaScript number; one beyond 2^53 fails the query (see int8.ts).
 */
import type { Generated, Insertable, Selectable, Updateable } from 'kysely'
import type { ApplicationId, ClientId, MessageId, UserId } from '../ids.ts'

/** Milliseconds since 1970, UTC. */
type Millis = number

export interface Database {
  users: UsersTable
  applications: ApplicationsTable
  clients: ClientsTable
  messages: MessagesTable
  oidc_flows: OidcFlowsTable
  imported: ImportedTable
  imported_messages: ImportedMessagesTable
}

export interface UsersTable {
  id: Generated<UserId>
  /** Unique. */
  name: string
  /** bcrypt string; null for users that log in by OIDC alone. */
  pass: string | null
  admin: Generated<boolean>
  created_at: Millis
  /** Subject at the OIDC provider; unique. */
  oidc_id: string | null
}

/** What applications and clients share: the two forms of their token. */
interface TokenColumns {
  /** Unique, Gotify's stored form: `gtfy?.<public key>` for v3 tokens, a legacy token in clear. */
  token: string
  /** Unique SHA-256 of the whole private token; null until a token of an imported row is first seen. */
  token_hash: Buffer | null
}

export interface ApplicationsTable extends TokenColumns {
  id: Generated<ApplicationId>
  user_id: UserId
  name: string
  description: Generated<string>
  internal: Generated<boolean>
  /** File name in the image folder, '' for the default picture. */
  image: Generated<string>
  default_priority: Generated<number>
  created_at: Millis
  last_used: Millis | null
  /** Fractional index, compared byte by byte; unique for a user. */
  sort_key: string
  /** Days that its messages are kept; 0: for good, null: as GOTIFY_MESSAGES_RETENTIONDAYS says. */
  retention_days: number | null
  /** Messages that are kept; 0: all, null: as GOTIFY_MESSAGES_RETENTIONCOUNT says. */
  retention_count: number | null
}

export interface ClientsTable extends TokenColumns {
  id: Generated<ClientId>
  user_id: UserId
  name: string
  created_at: Millis
  last_used: Millis | null
  elevated_until: Millis | null
  /** 0: never expires. */
  expires_after_inactivity_seconds: Generated<number>
  /** Follows from last use and inactivity; null: never. */
  expires_at: Millis | null
}

/** No foreign keys here: a publish must not pay for them; who deletes an application deletes its messages. */
export interface MessagesTable {
  /** Handed out by the database, never twice. */
  id: Generated<MessageId>
  user_id: UserId
  application_id: ApplicationId
  title: string
  message: string
  priority: number
  /** JSON text exactly as it is delivered; null where the publisher sent none. */
  extras: string | null
  date: Millis
  /** From the `Idempotency-Key` header; unique for an application. */
  idempotency_key: string | null
  /** SHA-256 of the request that came with the key. */
  idempotency_hash: Buffer | null
}

/** Sign-ins through a provider between their two halves. */
export interface OidcFlowsTable {
  /** The secret that the second half brings back. */
  state: string
  /** JSON; what the first half said. */
  flow: string
  expires_at: Millis
}

/** Rows that `bellwire import` brought, whether they are still here or not. */
export interface ImportedTable {
  /** An image has the id of its application. */
  kind: 'users' | 'applications' | 'clients' | 'images'
  id: number
  /** SHA-256 of what no other row with this id would have: its token, password hash or file name. */
  identity: Buffer
}

/** The same of messages: runs of consecutive ids. */
export interface ImportedMessagesTable {
  first_id: number
  last_id: number
}

export type UserRow = Selectable<UsersTable>
export type ApplicationRow = Selectable<ApplicationsTable>
export type ClientRow = Selectable<ClientsTable>
export type MessageRow = Selectable<MessagesTable>
export type NewUser = Insertable<UsersTable>
export type NewApplication = Insertable<ApplicationsTable>
export type NewClient = Insertable<ClientsTable>
export type NewMessage = Insertable<MessagesTable>
export type UserUpdate = Updateable<UsersTable>
export type ApplicationUpdate = Updateable<ApplicationsTable>
export type ClientUpdate = Updateable<ClientsTable>
