/**
 * Endpoints of clients: list, create, rename, elevate, delete. Main thread. Each handler checks,
 * asks ClientStore, announces what changed after the commit, and answers.
 */
import { type ClientId, PushError } from '@bellwire/common'
import type { ClientRow } from '@bellwire/common/db'
import { createLegacyToken, createToken } from '../auth/tokens.ts'
import type { HttpResponse, ManagedContext, Route } from '../http/types.ts'
import { empty, json } from './answers.ts'
import { bindBody } from './body-binding.ts'
import { ClientStore } from './client-store.ts'
import type { ManagementDeps } from './deps.ts'
import { integer, optionalInteger, text } from './fields.ts'
import { wantsLegacyToken } from './legacy-token.ts'
import { pathId } from './numbered-path.ts'

/** Gotify counts durations in nanoseconds of 64 bits; beyond this they overflow into the past there. */
const MAX_SECONDS = 9_223_372_036

/** A client's name, also of the client that a login makes. */
export const CLIENT_NAME = text({ required: true, maxLength: 1000 })

const NEW_CLIENT_FIELDS = {
  name: CLIENT_NAME,
  expiresAfterInactivitySeconds: integer({ min: 0, max: MAX_SECONDS }),
}
const CHANGED_CLIENT_FIELDS = {
  name: CLIENT_NAME,
  expiresAfterInactivitySeconds: optionalInteger({ min: 0, max: MAX_SECONDS }),
}
export const ELEVATION_FIELDS = {
  durationSeconds: integer({ required: true, min: -MAX_SECONDS, max: MAX_SECONDS }),
}

export function clientRoutes(deps: ManagementDeps): Route[] {
  const { authenticator, changes, clock } = deps
  const store = new ClientStore(deps.db)

  async function list({ principal }: ManagedContext): Promise<HttpResponse> {
    await authenticator.flush()
    const now = clock.now()
    const rows = await store.list(principal.userId, now)
    return json(rows.map((row) => describeClient(row, now)))
  }

  async function create(context: ManagedContext): Promise<HttpResponse> {
    const fields = await bindBody(context, NEW_CLIENT_FIELDS)
    const legacy = wantsLegacyToken(context, deps.legacyTokens)
    const token = legacy ? createLegacyToken('C') : createToken('c')
    const now = clock.now()
    const plain = { ...fields, elevatedUntil: null }
    const row = await store.create(context.principal.userId, plain, token, now)
    return json(describeClient(row, now, token.token))
  }

  async function update(context: ManagedContext): Promise<HttpResponse> {
    const id = pathId(context) as ClientId
    const { userId } = context.principal
    const now = clock.now()
    if ((await store.find(userId, id, now)) === null) throw noSuchClient(id)
    const { name, expiresAfterInactivitySeconds } = await bindBody(context, CHANGED_CLIENT_FIELDS)
    await authenticator.flush()
    const row = await store.update(userId, id, name, expiresAfterInactivitySeconds, now)
    if (row === null) throw noSuchClient(id)
    changes.announce({ kind: 'client-changed', userId, clientId: id })
    return json(describeClient(row, now, row.token))
  }

  async function elevate(context: ManagedContext): Promise<HttpResponse> {
    const id = pathId(context) as ClientId
    const { durationSeconds } = await bindBody(context, ELEVATION_FIELDS)
    const { userId } = context.principal
    const now = clock.now()
    if (!(await store.elevate(userId, id, now + durationSeconds * 1000, now))) {
      throw new PushError('NOT_FOUND', 'client not found')
    }
    changes.announce({ kind: 'client-changed', userId, clientId: id })
    return { status: 204 }
  }

  async function remove(context: ManagedContext): Promise<HttpResponse> {
    const id = pathId(context) as ClientId
    const { userId } = context.principal
    if (!(await store.remove(userId, id, clock.now()))) throw noSuchClient(id)
    changes.announce({ kind: 'client-deleted', userId, clientId: id })
    return empty()
  }

  return [
    { method: 'GET', pattern: '/client', auth: 'client', handle: list },
    { method: 'POST', pattern: '/client', auth: 'client', handle: create },
    { method: 'PUT', pattern: '/client/{id}', auth: 'client', handle: update },
    { method: 'DELETE', pattern: '/client/{id}', auth: 'elevated', handle: remove },
    { method: 'POST', pattern: '/client/{id}/elevate', auth: 'elevated', handle: elevate },
  ]
}

function noSuchClient(id: ClientId): PushError {
  return new PushError('NOT_FOUND', `client with id ${id} doesn't exists`)
}

/** Gotify's JSON of a client, in its key order; the list leaves the token out. */
function describeClient(row: ClientRow, now: number, token?: string): object {
  const { elevated_until: elevatedUntil } = row
  const elevated = elevatedUntil !== null && elevatedUntil > now
  return {
    id: row.id,
    ...(token !== undefined && { token }),
    name: row.name,
    createdAt: new Date(row.created_at),
    lastUsed: row.last_used === null ? null : new Date(row.last_used),
    ...(elevated && { elevatedUntil: new Date(elevatedUntil) }),
    expiresAfterInactivitySeconds: row.expires_after_inactivity_seconds,
    ...(row.expires_at !== null && { expiresAt: new Date(row.expires_at) }),
  }
}
