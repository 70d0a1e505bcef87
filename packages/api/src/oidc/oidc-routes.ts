/**
 * Signing in through an OpenID Connect provider: login, callback and elevation for browsers, and a
 * pair of calls for apps that receive the provider's answer themselves. Main thread. As in Gotify
 * these lie outside the API: no CORS, no response headers of the settings, plain text for people.
 */
import { type ClientId, PushError } from '@bellwire/common'
import type { UserRow } from '@bellwire/common/db'
import { calculatePKCECodeChallenge, randomPKCECodeVerifier } from 'openid-client'
import { sessionCookie } from '../auth/session-cookie.ts'
import { createToken } from '../auth/tokens.ts'
import type { HttpResponse, PublicRoute, Route, RouteContext } from '../http/types.ts'
import { json } from '../manage/answers.ts'
import { bindBody, bindQuery } from '../manage/body-binding.ts'
import { CLIENT_NAME, ELEVATION_FIELDS } from '../manage/client-routes.ts'
import { ClientStore } from '../manage/client-store.ts'
import type { ManagementDeps } from '../manage/deps.ts'
import { integer, text } from '../manage/fields.ts'
import { ELEVATED_SECONDS, INACTIVITY_SECONDS } from '../manage/session-routes.ts'
import { clearedFlowCookie, flowCookie, flowOf } from './flow-cookie.ts'
import { Flows } from './flows.ts'
import { ExchangeError, type Identity, Provider } from './provider.ts'
import { elevatedPage, plainText, withTextErrors } from './text-answers.ts'
import { bindUser } from './user-binding.ts'

const ELEVATION_QUERY = {
  id: integer({ required: true, min: 0 }),
  durationSeconds: ELEVATION_FIELDS.durationSeconds,
}
const AUTHORIZE_FIELDS = {
  code_challenge: text({ required: true, maxLength: 128 }),
  redirect_uri: text({ required: true, maxLength: 2000 }),
  name: CLIENT_NAME,
}
const TOKEN_FIELDS = {
  code: text({ required: true, maxLength: 10_000 }),
  state: text({ required: true, maxLength: 100 }),
  code_verifier: text({ required: true, maxLength: 128 }),
}
/** Relative, because a proxy may have taken a prefix from the path. */
const HOME = '../../'
const UNKNOWN_STATE = 'unknown or expired state'

/** No routes unless GOTIFY_OIDC_ENABLED is true. */
export function oidcRoutes(deps: ManagementDeps): Route[] {
  const { changes, clock, db } = deps
  const { oidc, server } = deps.config
  if (!oidc.enabled) return []
  const { secureCookie } = server
  const provider = new Provider(oidc)
  const flows = new Flows(db, clock)
  const clients = new ClientStore(db)

  async function login({ request }: RouteContext): Promise<HttpResponse> {
    const name = new URLSearchParams(request.query).get('name') ?? ''
    if (name === '') return plainText(400, 'invalid client name')
    const { name: clientName } = bindQuery(request.query, { name: CLIENT_NAME })
    const verifier = randomPKCECodeVerifier()
    return sendToProvider(await flows.begin({ kind: 'login', verifier, clientName }), verifier)
  }

  async function elevate({ request }: RouteContext): Promise<HttpResponse> {
    const { id: clientId, durationSeconds } = bindQuery(request.query, ELEVATION_QUERY)
    const verifier = randomPKCECodeVerifier()
    const flow = { kind: 'elevation', verifier, clientId, durationSeconds } as const
    return sendToProvider(await flows.begin(flow), verifier)
  }

  async function sendToProvider(state: string, verifier: string): Promise<HttpResponse> {
    const challenge = await calculatePKCECodeChallenge(verifier)
    const url = await provider.authorizeUrl(oidc.redirectUrl, state, challenge)
    return { status: 302, headers: [['location', url], flowCookie(state, secureCookie)] }
  }

  async function callback({ request }: RouteContext): Promise<HttpResponse> {
    const answer = new URL(`${oidc.redirectUrl}?${request.query}`)
    const state = answer.searchParams.get('state') ?? ''
    const flow = await flows.end(state, ['login', 'elevation'])
    if (flow === null) return plainText(400, UNKNOWN_STATE)
    if (flowOf(request) !== state) {
      return plainText(401, 'sign-in failed: it was not begun in this browser')
    }
    const identity = await provider.identify(answer, state, flow.verifier)
    const user = await userOf(identity)
    const cleared = clearedFlowCookie(secureCookie)
    if (flow.kind === 'elevation') {
      await elevateClient(user, flow.clientId as ClientId, flow.durationSeconds)
      return { ...elevatedPage, headers: [...(elevatedPage.headers ?? []), cleared] }
    }
    const token = await createClient(user, flow.clientName)
    const session = sessionCookie(token, secureCookie)
    return { status: 307, headers: [['location', HOME], session, cleared] }
  }

  async function externalAuthorize(context: RouteContext): Promise<HttpResponse> {
    const fields = await bindBody(asJson(context), AUTHORIZE_FIELDS)
    const { code_challenge: challenge, name: clientName, redirect_uri: redirectUri } = fields
    if (!isPlainUrl(redirectUri)) {
      throw new PushError('BAD_REQUEST', "Field 'redirect_uri' must be a URL without a query")
    }
    const state = await flows.begin({ kind: 'external', redirectUri, clientName })
    return json({
      authorize_url: await provider.authorizeUrl(redirectUri, state, challenge),
      state,
    })
  }

  async function externalToken(context: RouteContext): Promise<HttpResponse> {
    const { code, code_verifier: verifier, state } = await bindBody(asJson(context), TOKEN_FIELDS)
    const flow = await flows.end(state, ['external'])
    if (flow === null) throw new PushError('BAD_REQUEST', UNKNOWN_STATE)
    const answer = new URL(flow.redirectUri)
    // The app passes the code on and nothing else; there is one provider it can be of.
    answer.search = new URLSearchParams({ code, state, iss: await provider.issuer() }).toString()
    const user = await userOf(await identifyForApp(answer, state, verifier))
    const token = await createClient(user, flow.clientName)
    return json({ token, user: { id: user.id, name: user.name, admin: user.admin } })
  }

  async function identifyForApp(answer: URL, state: string, verifier: string): Promise<Identity> {
    try {
      return await provider.identify(answer, state, verifier)
    } catch (error) {
      if (!(error instanceof ExchangeError)) throw error
      const message = `token exchange failed: ${error.message}`
      throw new PushError('UNAUTHENTICATED', message, { cause: error })
    }
  }

  function userOf(identity: Identity): Promise<UserRow> {
    return bindUser({ db, clock, config: oidc }, identity)
  }

  async function elevateClient(user: UserRow, clientId: ClientId, seconds: number): Promise<void> {
    const now = clock.now()
    if (!(await clients.elevate(user.id, clientId, now + seconds * 1000, now))) {
      throw new PushError('NOT_FOUND', 'client not found')
    }
    changes.announce({ kind: 'client-changed', userId: user.id, clientId })
  }

  async function createClient(user: UserRow, name: string): Promise<string> {
    const now = clock.now()
    const token = createToken('c')
    const elevatedUntil = now + ELEVATED_SECONDS * 1000
    const fields = { name, expiresAfterInactivitySeconds: INACTIVITY_SECONDS, elevatedUntil }
    await clients.create(user.id, fields, token, now)
    return token.token
  }

  return [
    outsideApi('GET', 'login', withTextErrors(login)),
    outsideApi('GET', 'callback', withTextErrors(callback)),
    outsideApi('GET', 'elevate', elevate),
    outsideApi('POST', 'external/authorize', externalAuthorize),
    outsideApi('POST', 'external/token', externalToken),
  ]
}

function outsideApi(method: string, path: string, handle: PublicRoute['handle']): Route {
  return { method, pattern: `/auth/oidc/${path}`, auth: 'none', outsideApi: true, handle }
}

/** Gotify reads the bodies of apps as JSON, whatever their Content-Type says. */
function asJson(context: RouteContext): RouteContext {
  const headers = new Map(context.request.headers).set('content-type', 'application/json')
  return { ...context, request: { ...context.request, headers } }
}

/** The exchange repeats the URL letter for letter, so only one that stays as it is will do. */
function isPlainUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const url = new URL(value)
  return url.href === value && url.search === '' && url.hash === ''
}
