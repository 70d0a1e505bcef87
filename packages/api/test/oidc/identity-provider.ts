/** A real OpenID Connect provider for tests: npm oidc-provider on a free port. Whoever is set as `person` logs in at once. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'
import type { Test } from 'tap'

export const CLIENT_ID = 'bellwire'
export const CLIENT_SECRET = 'a secret of both'
export const APP_REDIRECT = 'com.example.app://oidc/callback'

export interface Person {
  readonly subject: string
  readonly claims: Readonly<Record<string, unknown>>
}

export interface IdentityProvider {
  readonly issuer: string
  person: Person
  stop(): Promise<void>
}

export async function startIdentityProvider(t: Test): Promise<IdentityProvider> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const people = new Map<string, Person>()
  const stop = async (): Promise<void> => {
    if (!server.listening) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  const running = { issuer, person: { subject: 'nobody', claims: {} } as Person, stop }
  const provider: Provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        application_type: 'native',
        redirect_uris: ['http://127.0.0.1/auth/oidc/callback', APP_REDIRECT],
      },
    ],
    claims: { openid: ['sub'], profile: ['preferred_username', 'nickname'], email: ['email'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    findAccount: (_context, subject) => ({
      accountId: subject,
      claims: () => ({ ...people.get(subject)?.claims, sub: subject }),
    }),
    async loadExistingGrant({ oidc }) {
      const { client, session } = oidc
      const grant = new provider.Grant({
        accountId: session?.accountId ?? '',
        clientId: client?.clientId ?? '',
      })
      grant.addOIDCScope('openid profile email')
      await grant.save()
      return grant
    },
  })
  const answer = provider.callback()
  server.on('request', (req, res) => {
    if (req.url?.startsWith('/interaction/') !== true) {
      void answer(req, res)
      return
    }
    const { person } = running
    people.set(person.subject, person)
    provider
      .interactionFinished(req, res, { login: { accountId: person.subject }, consent: {} })
      .catch((error: unknown) => res.writeHead(500).end(String(error)))
  })
  t.teardown(stop)
  return running
}
