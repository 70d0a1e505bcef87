/**
 * Which user a person at the provider is. Main thread. A user is bound to an issuer and a subject
 * for good, so a name that changes hands there gives nobody an account here. Words are Gotify's.
 */
import { type Clock, PushError } from '@bellwire/common'
import type { OidcConfig } from '@bellwire/common/config'
import type { Database, UserRow } from '@bellwire/common/db'
import type { Kysely } from 'kysely'
import type { Identity } from './provider.ts'

/** Length of the column in Gotify's own databases. */
const MAX_NAME_LENGTH = 180

export interface UserBindingDeps {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly config: Pick<OidcConfig, 'usernameClaim' | 'autoRegister' | 'linkByUsername'>
}

/** @throws {PushError} FORBIDDEN, INTERNAL for claims that name nobody */
export async function bindUser(deps: UserBindingDeps, identity: Identity): Promise<UserRow> {
  const { config, db } = deps
  const { issuer, subject, claims } = identity
  if (issuer.includes('#')) {
    throw new PushError('INTERNAL', `issuer url "${issuer}" may not contain a fragment`)
  }
  const oidcId = `${issuer}#${subject}`
  const bound = await find(db, 'oidc_id', oidcId)
  if (bound !== null) return bound

  const name = nameIn(claims, config.usernameClaim)
  const namesake = await find(db, 'name', name)
  if (namesake !== null) return link(deps, namesake, oidcId)
  if (!config.autoRegister) {
    throw new PushError('FORBIDDEN', 'user does not exist and auto-registration is disabled')
  }
  const made = await register(deps, name, oidcId)
  // Somebody was faster: the same person in another tab, or another one of this name.
  return made ?? bindUser(deps, identity)
}

async function link(
  { config, db }: UserBindingDeps,
  user: UserRow,
  oidcId: string,
): Promise<UserRow> {
  if (!config.linkByUsername) {
    throw new PushError(
      'FORBIDDEN',
      `a local user with the username ${user.name} already exists and linking by username is disabled`,
    )
  }
  const linked = await db
    .updateTable('users')
    .set({ oidc_id: oidcId })
    .where('id', '=', user.id)
    .where('oidc_id', 'is', null)
    .returningAll()
    .executeTakeFirst()
  if (linked !== undefined) return linked
  throw new PushError(
    'FORBIDDEN',
    `the user ${user.name} is already bound to a different OIDC identity`,
  )
}

/** Returns null if the name or the identity was taken meanwhile. */
async function register(
  { clock, db }: UserBindingDeps,
  name: string,
  oidcId: string,
): Promise<UserRow | null> {
  const values = { name, pass: null, admin: false, created_at: clock.now(), oidc_id: oidcId }
  const row = await db
    .insertInto('users')
    .values(values)
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst()
  return row ?? null
}

async function find(
  db: Kysely<Database>,
  column: 'oidc_id' | 'name',
  value: string,
): Promise<UserRow | null> {
  const query = db.selectFrom('users').selectAll().where(column, '=', value)
  return (await query.executeTakeFirst()) ?? null
}

function nameIn(claims: Identity['claims'], claim: string): string {
  const value = claims[claim]
  if (value === undefined) throw new PushError('INTERNAL', `username claim "${claim}" is missing`)
  const isText = typeof value === 'string' || typeof value === 'number'
  const name = isText ? String(value).toWellFormed() : ''
  if (name === '') throw new PushError('INTERNAL', 'username claim was empty')
  if (name.length > MAX_NAME_LENGTH || name.includes('\0')) {
    throw new PushError('INTERNAL', 'username claim is no name')
  }
  return name
}
