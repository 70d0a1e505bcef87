/**
 * Endpoints of applications: list, create, change, delete, new token. Main thread. Each handler
 * checks, asks ApplicationStore, announces what changed after the commit, and answers. Images are
 * application-image.ts.
 */
import { type ApplicationId, PushError } from '@bellwire/common'
import { MAX_RETENTION_COUNT, MAX_RETENTION_DAYS } from '@bellwire/common/config'
import type { ApplicationRow } from '@bellwire/common/db'
import { createLegacyToken, createToken } from '../auth/tokens.ts'
import type { HttpResponse, ManagedContext, Route } from '../http/types.ts'
import { empty, json } from './answers.ts'
import { ApplicationStore, AS_CONFIGURED } from './application-store.ts'
import { bindBody } from './body-binding.ts'
import { deleteMessages } from './database-rules.ts'
import type { ManagementDeps } from './deps.ts'
import { boolean, integer, optionalInteger, text } from './fields.ts'
import type { ImageFiles } from './image-files.ts'
import { wantsLegacyToken } from './legacy-token.ts'
import { pathId } from './numbered-path.ts'

const APPLICATION_FIELDS = {
  // The name travels with every cached token and becomes the title of messages.
  name: text({ required: true, maxLength: 1000 }),
  description: text(),
  defaultPriority: integer(),
  // An index entry must stay below a third of a page.
  sortKey: text({ maxLength: 255 }),
  // Bellwire's own: a client that doesn't know them leaves them as they are.
  retentionDays: optionalInteger({ min: AS_CONFIGURED, max: MAX_RETENTION_DAYS }),
  retentionCount: optionalInteger({ min: AS_CONFIGURED, max: MAX_RETENTION_COUNT }),
}

const SECURITY_FIELDS = { regenerateToken: boolean() }

export function applicationRoutes(deps: ManagementDeps, images: ImageFiles): Route[] {
  const { changes, clock, db } = deps
  const store = new ApplicationStore(db)

  async function list({ principal }: ManagedContext): Promise<HttpResponse> {
    await deps.authenticator.flush()
    const rows = await store.list(principal.userId)
    return json(rows.map((row) => describeApplication(row)))
  }

  async function create(context: ManagedContext): Promise<HttpResponse> {
    const fields = await bindBody(context, APPLICATION_FIELDS)
    const legacy = wantsLegacyToken(context, deps.legacyTokens)
    const token = legacy ? createLegacyToken('A') : createToken('a')
    const { userId } = context.principal
    const row = await store.create(userId, fields, token, clock.now())
    changes.announce({ kind: 'application-changed', userId, applicationId: row.id })
    return json(describeApplication(row, token.token))
  }

  async function update(context: ManagedContext): Promise<HttpResponse> {
    const { id } = await existing(store, context)
    const fields = await bindBody(context, APPLICATION_FIELDS)
    const { userId } = context.principal
    await deps.authenticator.flush()
    const row = await store.update(userId, id, fields)
    if (row === null) throw noSuchApplication(id)
    changes.announce({ kind: 'application-changed', userId, applicationId: id })
    return json(describeApplication(row, row.token))
  }

  async function remove(context: ManagedContext): Promise<HttpResponse> {
    const { id, internal, image } = await existing(store, context)
    if (internal) throw new PushError('BAD_REQUEST', 'cannot delete internal application')
    const { userId } = context.principal
    // The row goes first and everybody hears of it: nothing is published any more while the
    // messages go, however many there are.
    if (!(await store.remove(userId, id))) throw noSuchApplication(id)
    changes.announce({ kind: 'application-deleted', userId, applicationId: id })
    await deleteMessages(db, { applicationId: id })
    await images.remove(image)
    return empty()
  }

  async function secure(context: ManagedContext): Promise<HttpResponse> {
    const { id, token: old } = await existing(store, context)
    const { regenerateToken } = await bindBody(context, SECURITY_FIELDS)
    if (!regenerateToken) return json({})
    const { userId } = context.principal
    // Whoever has a token of the old form got it because the sender takes no other.
    const token = old.startsWith('gtfy') ? createToken('a') : createLegacyToken('A')
    if (!(await store.replaceToken(userId, id, token))) throw noSuchApplication(id)
    changes.announce({ kind: 'application-changed', userId, applicationId: id })
    return json({ regenerateToken: { token: token.token } })
  }

  return [
    { method: 'GET', pattern: '/application', auth: 'client', handle: list },
    { method: 'POST', pattern: '/application', auth: 'client', handle: create },
    { method: 'PUT', pattern: '/application/{id}', auth: 'client', handle: update },
    { method: 'DELETE', pattern: '/application/{id}', auth: 'elevated', handle: remove },
    { method: 'PUT', pattern: '/application/{id}/security', auth: 'elevated', handle: secure },
  ]
}

/**
 * The application that the path names.
 * @throws PushError NOT_FOUND if the user has no such application
 */
export async function existing(
  store: ApplicationStore,
  context: ManagedContext,
): Promise<ApplicationRow> {
  const id = pathId(context) as ApplicationId
  const row = await store.find(context.principal.userId, id)
  if (row === null) throw noSuchApplication(id)
  return row
}

export function noSuchApplication(id: ApplicationId): PushError {
  return new PushError('NOT_FOUND', `app with id ${id} doesn't exists`)
}

/**
 * Gotify's JSON of an application, in its key order; the list leaves the token out. What is
 * Bellwire's own comes last, and only where it was set.
 */
export function describeApplication(row: ApplicationRow, token?: string): object {
  return {
    id: row.id,
    ...(token !== undefined && { token }),
    name: row.name,
    description: row.description,
    internal: row.internal,
    image: row.image === '' ? 'static/defaultapp.png' : `image/${row.image}`,
    defaultPriority: row.default_priority,
    createdAt: new Date(row.created_at),
    lastUsed: row.last_used === null ? null : new Date(row.last_used),
    sortKey: row.sort_key,
    ...(row.retention_days !== null && { retentionDays: row.retention_days }),
    ...(row.retention_count !== null && { retentionCount: row.retention_count }),
  }
}
