/** The description of logging in by OpenID Connect; these are served where GOTIFY_OIDC_ENABLED is set. */
import { type Operations, ref } from './operation.ts'

const browser = { tag: 'session', status: 302, refusals: [400] } as const

export const OIDC_OPERATIONS: Operations = {
  'GET /auth/oidc/login': {
    ...browser,
    id: 'oidcLogin',
    summary: 'Send a browser to the provider to log in',
    parameters: [{ name: 'name', type: 'string', description: 'Name of the client that is made.' }],
  },
  'GET /auth/oidc/callback': {
    ...browser,
    id: 'oidcCallback',
    summary: 'Take a browser back from the provider and set its session cookie',
    parameters: [
      { name: 'code', type: 'string', description: 'From the provider.' },
      { name: 'state', type: 'string', description: 'As the login gave it to the provider.' },
    ],
    status: 307,
  },
  'GET /auth/oidc/elevate': {
    ...browser,
    id: 'oidcElevate',
    summary: 'Send a browser to the provider to elevate a client',
    parameters: [
      { name: 'id', type: 'integer', description: 'Of the client.' },
      { name: 'durationSeconds', type: 'integer', description: 'How long it is elevated.' },
    ],
  },
  'POST /auth/oidc/external/authorize': {
    id: 'externalAuthorize',
    tag: 'session',
    summary: 'Begin a login of an app that opens the browser itself',
    body: 'OidcAuthorizeParams',
    answer: ref('OidcAuthorization'),
  },
  'POST /auth/oidc/external/token': {
    id: 'externalToken',
    tag: 'session',
    summary: 'Finish it: get the token of a new client',
    body: 'OidcTokenParams',
    answer: ref('OidcToken'),
    refusals: [401, 403],
  },
}
