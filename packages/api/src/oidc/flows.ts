/**
 * Sign-ins that have begun at a provider and not come back. Main thread. They lie in the database,
 * so that any process can end what another began; each ends once, within ten minutes.
 */
import { type Clock, PushError } from '@bellwire/common'
import type { Database } from '@bellwire/common/db'
import type { Kysely } from 'kysely'
import { randomBytes } from 'node:crypto'

/** What the first half of a sign-in leaves for the second. */
export type Flow =
  | { readonly kind: 'login'; readonly verifier: string; readonly clientName: string }
  | {
      readonly kind: 'elevation'
      readonly verifier: string
      readonly clientId: number
      readonly durationSeconds: number
    }
  /** An app that keeps its verifier to itself. */
  | { readonly kind: 'external'; readonly redirectUri: string; readonly clientName: string }

const LIFE_MS = 10 * 60_000
const STATE_BYTES = 20
const STATE = /^[\da-f]{40}$/
/** Anybody may begin one, so there is a bound on those that wait. */
const MAX_WAITING = 50_000

export class Flows {
  readonly #db: Kysely<Database>
  readonly #clock: Clock

  constructor(db: Kysely<Database>, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  /**
   * Returns the state, a secret that ends this flow and no other.
   * @throws {PushError} TOO_MANY_REQUESTS
   */
  async begin(flow: Flow): Promise<string> {
    const now = this.#clock.now()
    await this.#db.deleteFrom('oidc_flows').where('expires_at', '<=', now).execute()
    const { count } = await this.#db
      .selectFrom('oidc_flows')
      .select((expression) => expression.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    if (count >= MAX_WAITING) {
      throw new PushError('TOO_MANY_REQUESTS', 'too many sign-ins are waiting, try again later')
    }
    const state = randomBytes(STATE_BYTES).toString('hex')
    const row = { state, flow: JSON.stringify(flow), expires_at: now + LIFE_MS }
    await this.#db.insertInto('oidc_flows').values(row).execute()
    return state
  }

  /** Takes the flow out, so that no second answer ends it; null for an unknown, used or late one. */
  async end<Kind extends Flow['kind']>(
    state: string,
    kinds: readonly Kind[],
  ): Promise<Extract<Flow, { kind: Kind }> | null> {
    // What begin() never gave is not looked up: PostgreSQL refuses some texts.
    if (!STATE.test(state)) return null
    const row = await this.#db
      .deleteFrom('oidc_flows')
      .where('state', '=', state)
      .returning(['flow', 'expires_at'])
      .executeTakeFirst()
    if (row === undefined || row.expires_at <= this.#clock.now()) return null
    const flow = JSON.parse(row.flow) as Flow
    return isOneOf(flow, kinds) ? flow : null
  }
}

function isOneOf<Kind extends Flow['kind']>(
  flow: Flow,
  kinds: readonly Kind[],
): flow is Extract<Flow, { kind: Kind }> {
  return (kinds as readonly string[]).includes(flow.kind)
}
