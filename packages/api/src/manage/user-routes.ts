/**
 * Endpoints of users: list, look up, create or register, change, delete. Main thread. Each handler
 * checks, asks UserStore, announces what changed after the commit, and answers.
 */
import { type Principal, PushError, type UserId } from '@bellwire/common'
import type { UserRow } from '@bellwire/common/db'
import type { HttpResponse, ManagedContext, Route, RouteContext } from '../http/types.ts'
import { empty, json } from './answers.ts'
import { bindBody } from './body-binding.ts'
import { deleteMessages } from './database-rules.ts'
import type { ManagementDeps } from './deps.ts'
import { boolean, text } from './fields.ts'
import type { ImageFiles } from './image-files.ts'
import { pathId } from './numbered-path.ts'
import { UserStore } from './user-store.ts'

/** Length of the column in Gotify's own databases. */
const USER_NAME = text({ required: true, maxLength: 180 })
const NEW_USER_FIELDS = {
  name: USER_NAME,
  pass: text({ required: true }),
  admin: boolean(),
}
const CHANGED_USER_FIELDS = { name: USER_NAME, pass: text(), admin: boolean() }

export function userRoutes(deps: ManagementDeps, images: ImageFiles): Route[] {
  const { changes, clock, config, db, hasher } = deps
  const store = new UserStore(db)

  async function list(): Promise<HttpResponse> {
    return json((await store.list()).map(describeUser))
  }

  async function show(context: ManagedContext): Promise<HttpResponse> {
    return json(describeUser(await existing(context)))
  }

  async function create(context: RouteContext): Promise<HttpResponse> {
    const { pass, ...fields } = await bindBody(context, NEW_USER_FIELDS)
    // Before the password is hashed: strangers must not make the server work.
    mayCreate(context.principal, fields.admin, config.registration)
    const row = await store.create(fields, await hasher.hash(pass), clock.now())
    return json(describeUser(row))
  }

  async function update(context: ManagedContext): Promise<HttpResponse> {
    const id = pathId(context) as UserId
    const { pass, ...fields } = await bindBody(context, CHANGED_USER_FIELDS)
    await existing(context)
    const passHash = pass === '' ? null : await hasher.hash(pass)
    const row = await store.update(id, fields, passHash)
    if (row === null) throw noSuchUser()
    changes.announce({ kind: 'user-changed', userId: id })
    return json(describeUser(row))
  }

  async function remove(context: ManagedContext): Promise<HttpResponse> {
    const id = pathId(context) as UserId
    const orphans = await store.remove(id)
    if (orphans === null) throw noSuchUser()
    changes.announce({ kind: 'user-deleted', userId: id })
    // Publishes that were under way before everybody heard of it.
    await deleteMessages(db, { userId: id })
    await Promise.all(orphans.map((image) => images.remove(image)))
    return empty()
  }

  async function existing(context: ManagedContext): Promise<UserRow> {
    const row = await store.find(pathId(context) as UserId)
    if (row === null) throw noSuchUser()
    return row
  }

  return [
    { method: 'GET', pattern: '/user', auth: 'admin', handle: list },
    { method: 'POST', pattern: '/user', auth: 'optional', handle: create },
    { method: 'GET', pattern: '/user/{id}', auth: 'admin', handle: show },
    { method: 'POST', pattern: '/user/{id}', auth: 'admin', handle: update },
    { method: 'DELETE', pattern: '/user/{id}', auth: 'admin', handle: remove },
  ]
}

/** @throws PushError UNAUTHENTICATED for strangers, FORBIDDEN for users */
function mayCreate(principal: Principal | null, asAdmin: boolean, registration: boolean): void {
  if (principal !== null && principal.kind !== 'application' && principal.admin) return
  const code = principal === null ? 'UNAUTHENTICATED' : 'FORBIDDEN'
  if (!registration) throw new PushError(code, 'you are not allowed to access this api')
  if (asAdmin) throw new PushError(code, 'you are not allowed to create an admin user')
}

function noSuchUser(): PushError {
  return new PushError('NOT_FOUND', 'user does not exist')
}

/** Gotify's JSON of a user, in its key order. */
function describeUser(row: UserRow): object {
  return {
    id: row.id,
    name: row.name,
    admin: row.admin,
    createdAt: new Date(row.created_at),
  }
}
