/** Endpoints of the user behind the request: who it is, and its password. Main thread. */
import type { ClientPrincipal, UserPrincipal } from '@bellwire/common'
import type { HttpResponse, ManagedContext, Route } from '../http/types.ts'
import { empty, json } from './answers.ts'
import { bindBody } from './body-binding.ts'
import type { ManagementDeps } from './deps.ts'
import { text } from './fields.ts'
import { UserStore } from './user-store.ts'

const PASSWORD_FIELDS = { pass: text({ required: true }) }

export function currentUserRoutes(deps: ManagementDeps): Route[] {
  const store = new UserStore(deps.db)

  async function changePassword(context: ManagedContext): Promise<HttpResponse> {
    const { pass } = await bindBody(context, PASSWORD_FIELDS)
    const { userId } = context.principal
    await store.setPassword(userId, await deps.hasher.hash(pass))
    deps.changes.announce({ kind: 'user-changed', userId })
    return empty()
  }

  return [
    {
      method: 'GET',
      pattern: '/current/user',
      auth: 'client',
      handle: ({ principal }) => json(describeCurrentUser(principal, deps.clock.now())),
    },
    {
      method: 'POST',
      pattern: '/current/user/password',
      auth: 'elevated',
      handle: changePassword,
    },
  ]
}

/** Gotify's JSON of the user behind a request; a client adds itself and how long it is elevated. */
export function describeCurrentUser(
  principal: ClientPrincipal | UserPrincipal,
  now: number,
): object {
  const user = {
    id: principal.userId,
    name: principal.userName,
    admin: principal.admin,
    createdAt: new Date(principal.userCreatedAt),
  }
  if (principal.kind === 'user') return user
  const { clientId, elevatedUntil } = principal
  const elevated = elevatedUntil !== null && elevatedUntil > now
  return { ...user, clientId, ...(elevated && { elevatedUntil: new Date(elevatedUntil) }) }
}
