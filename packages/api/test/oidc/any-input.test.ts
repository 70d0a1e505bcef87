/**
 * Throws random queries, bodies and headers at the endpoints of the sign-in, in front of a real
 * provider, half of them with a sign-in that has really begun: each is answered, never with a
 * failure of the server.
 */
import fc from 'fast-check'
import t from 'tap'
import {
  anyBody,
  anyFields,
  anyHeaders,
  bytesOf,
  formOf,
  isGotifyError,
} from '../manage/any-request.ts'
import { type Answer, startManagementServer, textIn } from '../manage/management-server.ts'
import { startTestPostgres } from '../support/postgres.ts'
import {
  APP_REDIRECT,
  CLIENT_ID,
  CLIENT_SECRET,
  startIdentityProvider,
} from './identity-provider.ts'

t.setTimeout(120_000)
const provider = await startIdentityProvider(t)
const server = await startManagementServer(t, {
  connection: await startTestPostgres(t),
  env: {
    GOTIFY_OIDC_ENABLED: 'true',
    GOTIFY_OIDC_ISSUER: provider.issuer,
    GOTIFY_OIDC_CLIENTID: CLIENT_ID,
    GOTIFY_OIDC_CLIENTSECRET: CLIENT_SECRET,
    GOTIFY_OIDC_REDIRECTURL: 'http://127.0.0.1:1/auth/oidc/callback',
  },
})

/** Begins a sign-in of a browser or an app; returns its state. */
async function begin(ofApp: boolean): Promise<string> {
  if (ofApp) {
    const json = { code_challenge: 'x'.repeat(43), redirect_uri: APP_REDIRECT, name: 'app' }
    return textIn(await server.call('POST /auth/oidc/external/authorize', { json }), 'state')
  }
  const login = await server.call('GET /auth/oidc/login?name=x')
  return new URL(login.headers.get('location') ?? '').searchParams.get('state') ?? ''
}

/** Pages for people are refused in plain text, as in Gotify. */
function isPlainRefusal({ headers, text }: Answer): boolean {
  return headers.get('content-type') === 'text/plain; charset=utf-8' && text.trim() !== ''
}

const routes = server.routes.filter(({ pattern }) => pattern.startsWith('/auth/oidc/'))
t.equal(routes.length, 5)

for (const { method, pattern } of routes) {
  const forPeople = /login|callback/.test(pattern)
  t.test(`[API11] ${method} ${pattern} answers whatever comes`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        anyFields,
        anyBody,
        anyHeaders,
        async (begun, fields, { bytes }, headers) => {
          const state = begun ? await begin(method === 'POST') : null
          const known =
            state === null ? fields : { code: 'x', code_verifier: 'y', ...fields, state }
          const body = state === null ? bytes : bytesOf(JSON.stringify(known))
          const answer = await server.call(`${method} ${pattern}?${formOf(known)}`, {
            headers: {
              ...headers,
              ...(state !== null && { cookie: `gotify-oidc-state=${state}` }),
            },
            ...(method === 'POST' && { body }),
          })
          if (answer.status < 400) return true
          return answer.status < 500 && (forPeople ? isPlainRefusal(answer) : isGotifyError(answer))
        },
      ),
      {
        numRuns: 60,
        // PostgreSQL has no text with a NUL.
        examples: [
          [false, { state: '\0' }, { type: '', bytes: bytesOf('{"state":"\\u0000"}') }, {}],
        ],
      },
    )
  })
}

t.test('[API11] The server goes on', async (t) => {
  t.match(await server.call('GET /health'), { status: 200, json: { database: 'green' } })
  t.equal((await server.call('GET /auth/oidc/login?name=x')).status, 302)
})
