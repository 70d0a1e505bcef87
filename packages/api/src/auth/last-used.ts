/**
 * Keeps the last use of applications and clients: at most once in five minutes for each (Gotify's
 * rule), written in batches, never on the path of a request. Gateway thread.
 */
import type { ApplicationId, ClientId } from '@bellwire/common'
import { type Database, toPushError } from '@bellwire/common/db'
import { type Kysely, sql } from 'kysely'
import { BoundedMap } from './bounded-map.ts'
import type { TokenPrincipal } from './token-cache.ts'
import type { FoundToken } from './token-store.ts'

/** A use that is nearer to the last noted one is not noted. */
const NOTE_EVERY_MS = 5 * 60 * 1000
const REMEMBERED = 200_000

interface Use {
  readonly at: number
  /** 0: the client never expires. */
  readonly inactivitySeconds: number
}

export class LastUsed {
  readonly #db: Kysely<Database>
  readonly #applications = new BoundedMap<ApplicationId, Use>(REMEMBERED)
  readonly #clients = new BoundedMap<ClientId, Use>(REMEMBERED)
  /** Noted, not yet written. */
  readonly #pending = {
    applications: new Map<ApplicationId, number>(),
    clients: new Map<ClientId, number>(),
  }
  #writing: Promise<void> | null = null

  constructor(db: Kysely<Database>) {
    this.#db = db
  }

  /** Takes over what the database says. */
  seed(found: FoundToken): void {
    const use = { at: found.lastUsed ?? 0, inactivitySeconds: found.inactivitySeconds }
    const { principal } = found
    if (principal.kind === 'application') {
      seedUse(this.#applications, this.#pending.applications, principal.applicationId, use)
    } else {
      seedUse(this.#clients, this.#pending.clients, principal.clientId, use)
    }
  }

  /**
   * Notes a use if one is due; tells whether it was.
   * @param now milliseconds since 1970
   */
  note(principal: TokenPrincipal, now: number): boolean {
    return principal.kind === 'application'
      ? noteUse(this.#applications, this.#pending.applications, principal.applicationId, now)
      : noteUse(this.#clients, this.#pending.clients, principal.clientId, now)
  }

  /** When a client used now expires: null for never, undefined if that must be looked up. */
  expiryAfterUse(client: ClientId, now: number): number | null | undefined {
    const use = this.#clients.get(client)
    if (use === undefined) return undefined
    return use.inactivitySeconds > 0 ? now + use.inactivitySeconds * 1000 : null
  }

  /**
   * Writes what was noted before the call. One writer at a time; what fails stays noted.
   * @throws {PushError} DATABASE_UNAVAILABLE
   */
  async flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing
    if (this.#pending.applications.size === 0 && this.#pending.clients.size === 0) return
    this.#writing = this.#write().finally(() => (this.#writing = null))
    await this.#writing
  }

  async #write(): Promise<void> {
    const { applications, clients } = this.#pending
    try {
      await this.#writeApplications(inOrder(applications))
      await this.#writeClients(inOrder(clients))
    } catch (error) {
      throw toPushError(error)
    }
  }

  async #writeApplications(uses: Map<ApplicationId, number>): Promise<void> {
    if (uses.size === 0) return
    await sql`
      UPDATE applications SET last_used = used.at
      FROM unnest(${[...uses.keys()]}::bigint[], ${[...uses.values()]}::bigint[]) AS used (id, at)
      WHERE applications.id = used.id`.execute(this.#db)
    settle(this.#pending.applications, uses)
  }

  async #writeClients(uses: Map<ClientId, number>): Promise<void> {
    if (uses.size === 0) return
    await sql`
      UPDATE clients SET
        last_used = used.at,
        expires_at = CASE WHEN expires_after_inactivity_seconds > 0
          THEN used.at + expires_after_inactivity_seconds * 1000 END
      FROM unnest(${[...uses.keys()]}::bigint[], ${[...uses.values()]}::bigint[]) AS used (id, at)
      WHERE clients.id = used.id`.execute(this.#db)
    settle(this.#pending.clients, uses)
  }
}

/** A use that is not written yet is newer than what the database says. */
function seedUse<Id>(uses: BoundedMap<Id, Use>, pending: Map<Id, number>, id: Id, use: Use): void {
  const at = pending.get(id) ?? use.at
  uses.set(id, { at, inactivitySeconds: use.inactivitySeconds })
}

function noteUse<Id>(
  uses: BoundedMap<Id, Use>,
  pending: Map<Id, number>,
  id: Id,
  now: number,
): boolean {
  const last = uses.get(id)
  if (last !== undefined && now - last.at < NOTE_EVERY_MS) return false
  if (last !== undefined) uses.set(id, { ...last, at: now })
  pending.set(id, now)
  return true
}

/** Processes that update the same rows must lock them in the same order. */
function inOrder<Id extends number>(uses: Map<Id, number>): Map<Id, number> {
  return new Map([...uses].sort(([a], [b]) => a - b))
}

/** Takes the written uses out, except where a newer one came in meanwhile. */
function settle<Id>(pending: Map<Id, number>, written: Map<Id, number>): void {
  for (const [id, at] of written) if (pending.get(id) === at) pending.delete(id)
}
