/**
 * Looks tokens up in the database: by the hash of the whole token first, and for rows that came from
 * a Gotify database (no hash yet) by the stored form, whose derivation costs half a millisecond.
 * Gateway thread; behind the cache.
 */
import { GatheredReads } from '@bellwire/common'
import { type Database, toPushError } from '@bellwire/common/db'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { TokenPrincipal } from './token-cache.ts'
import { hashToken, MAX_TOKEN_LENGTH, parseToken, storedForm } from './tokens.ts'

export interface FoundToken {
  readonly principal: TokenPrincipal
  /** Milliseconds since 1970, null if never. */
  readonly lastUsed: number | null
  /** 0: never expires. */
  readonly inactivitySeconds: number
}

/** Short answers, and little that fails together. */
const HASHES_PER_QUERY = 500

type TokenColumn = 'token' | 'token_hash'
type ApplicationRow = Awaited<ReturnType<typeof applicationsBy>>[number]
type ClientRow = Awaited<ReturnType<typeof clientsBy>>[number]

export class TokenStore {
  readonly #db: Kysely<Database>
  readonly #applications: GatheredReads<Buffer, ApplicationRow | null>
  readonly #clients: GatheredReads<Buffer, ClientRow | null>

  constructor(db: Kysely<Database>) {
    this.#db = db
    this.#applications = readsByHash((hashes) => applicationsBy(db, 'token_hash', hashes))
    this.#clients = readsByHash((hashes) => clientsBy(db, 'token_hash', hashes))
  }

  /**
   * @param now milliseconds since 1970; clients that expired before are gone
   * @throws {PushError} UNAUTHENTICATED for a malformed `gtfy` token, DATABASE_UNAVAILABLE
   */
  async find(token: string, now: number): Promise<FoundToken | null> {
    const parsed = parseToken(token)
    // Longer texts are no tokens, and PostgreSQL has no NUL.
    if (token.length > MAX_TOKEN_LENGTH || token.includes('\0')) return null
    try {
      const hash = hashToken(token)
      const known = await this.#lookUp(token, 'token_hash', hash, now)
      if (known !== null) return known
      const stored = storedForm(parsed, now)
      if (stored === null) return null
      const found = await this.#lookUp(token, 'token', stored, now)
      // A seed or a legacy token is the same for ever; a signature is not.
      if (found !== null && parsed.form !== 'signed') await this.#remember(found.principal, hash)
      return found
    } catch (error) {
      throw toPushError(error)
    }
  }

  /** An application token wins, as in Gotify; v3 tokens say themselves which kind they are. */
  async #lookUp(
    token: string,
    column: TokenColumn,
    value: string | Buffer,
    now: number,
  ): Promise<FoundToken | null> {
    const application = token.startsWith('gtfyc.') ? null : await this.#application(column, value)
    if (application !== null || token.startsWith('gtfya.')) return application
    return this.#client(column, value, now)
  }

  async #application(column: TokenColumn, value: string | Buffer): Promise<FoundToken | null> {
    const row =
      typeof value === 'string'
        ? (await applicationsBy(this.#db, column, [value]))[0]
        : await this.#applications.read(value)
    if (row === undefined || row === null) return null
    return {
      principal: {
        kind: 'application',
        userId: row.user_id,
        applicationId: row.id,
        name: row.name,
        defaultPriority: row.default_priority,
      },
      lastUsed: row.last_used,
      inactivitySeconds: 0,
    }
  }

  async #client(
    column: TokenColumn,
    value: string | Buffer,
    now: number,
  ): Promise<FoundToken | null> {
    const row =
      typeof value === 'string'
        ? (await clientsBy(this.#db, column, [value]))[0]
        : await this.#clients.read(value)
    if (row === undefined || row === null) return null
    if (row.expires_at !== null && row.expires_at <= now) return null
    return {
      principal: {
        kind: 'client',
        userId: row.user_id,
        userName: row.name,
        admin: row.admin,
        userCreatedAt: row.created_at,
        clientId: row.client_id,
        elevatedUntil: row.elevated_until,
        expiresAt: row.expires_at,
      },
      lastUsed: row.last_used,
      inactivitySeconds: row.expires_after_inactivity_seconds,
    }
  }

  async #remember(principal: TokenPrincipal, hash: Buffer): Promise<void> {
    if (principal.kind === 'application') {
      await this.#db
        .updateTable('applications')
        .set({ token_hash: hash })
        .where('id', '=', principal.applicationId)
        .where('token_hash', 'is', null)
        .execute()
    } else {
      await this.#db
        .updateTable('clients')
        .set({ token_hash: hash })
        .where('id', '=', principal.clientId)
        .where('token_hash', 'is', null)
        .execute()
    }
  }
}

/** A row by the hash of its token, null where there is none. */
function readsByHash<Row extends { readonly token_hash: Buffer | null }>(
  query: (hashes: readonly Buffer[]) => Promise<readonly Row[]>,
): GatheredReads<Buffer, Row | null> {
  return new GatheredReads(async (hashes) => {
    const rows = await query(hashes)
    const byHash = new Map(rows.map((row) => [row.token_hash?.toString('latin1'), row]))
    return hashes.map((hash) => byHash.get(hash.toString('latin1')) ?? null)
  }, HASHES_PER_QUERY)
}

function applicationsBy(
  db: Kysely<Database>,
  column: TokenColumn,
  values: readonly (string | Buffer)[],
) {
  return db
    .selectFrom('applications')
    .select(['id', 'user_id', 'name', 'default_priority', 'last_used', 'token_hash'])
    .where(column, '=', anyOf(values))
    .execute()
}

function clientsBy(
  db: Kysely<Database>,
  column: TokenColumn,
  values: readonly (string | Buffer)[],
) {
  return db
    .selectFrom('clients')
    .innerJoin('users', 'users.id', 'clients.user_id')
    .select([
      'clients.id as client_id',
      'users.id as user_id',
      'users.name',
      'users.admin',
      'users.created_at',
      'clients.elevated_until',
      'clients.expires_at',
      'clients.last_used',
      'clients.expires_after_inactivity_seconds',
      'clients.token_hash',
    ])
    .where(`clients.${column}`, '=', anyOf(values))
    .execute()
}

/** One parameter however many there are: one plan serves them all. */
function anyOf(values: readonly (string | Buffer)[]): RawBuilder<never> {
  return sql`any(${values})`
}
