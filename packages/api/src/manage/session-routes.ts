/**
 * Endpoints of sessions: login and logout of a browser. Main thread. A session is a client whose
 * token lies in a cookie; the cookie's text is auth/session-cookie.ts.
 */
import { type ClientPrincipal, PushError } from '@bellwire/common'
import { readBasic } from '../auth/credentials.ts'
import { clearedSessionCookie, sessionCookie } from '../auth/session-cookie.ts'
import { createToken } from '../auth/tokens.ts'
import { errorResponse } from '../http/response.ts'
import type { HttpResponse, ManagedContext, Route, RouteContext } from '../http/types.ts'
import { empty, json } from './answers.ts'
import { bindBody } from './body-binding.ts'
import { CLIENT_NAME } from './client-routes.ts'
import { ClientStore } from './client-store.ts'
import { describeCurrentUser } from './current-user-routes.ts'
import type { ManagementDeps } from './deps.ts'

const LOGIN_FIELDS = { name: CLIENT_NAME }
/** Of the client that a sign-in makes, by password or through a provider. */
export const ELEVATED_SECONDS = 60 * 60
export const INACTIVITY_SECONDS = 7 * 24 * 60 * 60

export function sessionRoutes(deps: ManagementDeps): Route[] {
  const { authenticator, changes, clock } = deps
  const { secureCookie } = deps.config.server
  const store = new ClientStore(deps.db)

  async function login(context: RouteContext): Promise<HttpResponse> {
    const basic = readBasic(context.request.headers.get('authorization') ?? '')
    if (basic === null) throw new PushError('UNAUTHENTICATED', 'basic auth required')
    const { remoteAddress } = context.request
    const user = await authenticator.byPassword(basic.name, basic.password, remoteAddress)
    if (user === null) throw new PushError('UNAUTHENTICATED', 'invalid credentials')
    const { name } = await bindBody(context, LOGIN_FIELDS)

    const now = clock.now()
    const token = createToken('c')
    const elevatedUntil = now + ELEVATED_SECONDS * 1000
    const fields = { name, expiresAfterInactivitySeconds: INACTIVITY_SECONDS, elevatedUntil }
    const row = await store.create(user.userId, fields, token, now)
    const principal: ClientPrincipal = {
      ...user,
      kind: 'client',
      clientId: row.id,
      elevatedUntil,
      expiresAt: row.expires_at,
    }
    return json(describeCurrentUser(principal, now), [sessionCookie(token.token, secureCookie)])
  }

  async function logout({ principal }: ManagedContext): Promise<HttpResponse> {
    const cleared = clearedSessionCookie(secureCookie)
    if (principal.kind !== 'client') {
      const refusal = errorResponse(new PushError('FORBIDDEN', 'no client auth provided'))
      return { ...refusal, headers: [...(refusal.headers ?? []), cleared] }
    }
    const { userId, clientId } = principal
    await store.remove(userId, clientId, clock.now())
    changes.announce({ kind: 'client-deleted', userId, clientId })
    return empty([cleared])
  }

  return [
    { method: 'POST', pattern: '/auth/local/login', auth: 'none', handle: login },
    { method: 'POST', pattern: '/auth/logout', auth: 'client', handle: logout },
  ]
}
