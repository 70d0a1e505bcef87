/** Signing in at a real provider, as browsers and apps do, and what must not get through. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import {
  ADMIN,
  type ManagementServer,
  numberIn,
  startManagementServer,
  textIn,
} from '../manage/management-server.ts'
import { startTestPostgres } from '../support/postgres.ts'
import { Browser } from './browser.ts'
import {
  APP_REDIRECT,
  CLIENT_ID,
  CLIENT_SECRET,
  type Person,
  startIdentityProvider,
} from './identity-provider.ts'

t.setTimeout(180_000)

const CALLBACK = 'http://127.0.0.1:1/auth/oidc/callback'
const SESSION = 'gotify-client-token'
const MINUTE_MS = 60_000

const connection = await startTestPostgres(t)
const provider = await startIdentityProvider(t)

function settings(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    GOTIFY_OIDC_ENABLED: 'true',
    GOTIFY_OIDC_ISSUER: provider.issuer,
    GOTIFY_OIDC_CLIENTID: CLIENT_ID,
    GOTIFY_OIDC_CLIENTSECRET: CLIENT_SECRET,
    GOTIFY_OIDC_REDIRECTURL: CALLBACK,
    ...more,
  }
}

function start(more?: Readonly<Record<string, string>>): Promise<ManagementServer> {
  return startManagementServer(t, { connection, env: settings(more) })
}

const server = await start()
const other = await start()

function newPerson(name: string = `person-${randomUUID()}`): Person {
  return { subject: randomUUID(), claims: { preferred_username: name } }
}

/** Goes to the provider and back; returns the callback on the server, not called yet. */
async function goAndComeBack(
  browser: Browser,
  path: string,
  { base }: ManagementServer = server,
): Promise<string> {
  return (await browser.follow(base + path, CALLBACK)).replace(new URL(CALLBACK).origin, base)
}

async function signIn(browser: Browser, at: ManagementServer = server): Promise<Response> {
  return browser.get(await goAndComeBack(browser, '/auth/oidc/login?name=browser', at))
}

t.test('[OIDC1] GET /auth/oidc/login', async (t) => {
  t.test('registers a person and sets the session cookie', async (t) => {
    provider.person = newPerson()
    const browser = new Browser()
    const answer = await signIn(browser)
    t.equal(answer.status, 307)
    t.equal(answer.headers.get('location'), '../../')
    const cookies = answer.headers.getSetCookie()
    t.match(
      cookies[0],
      /^gotify-client-token=gtfyc\..*; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/,
    )
    const token = browser.cookie(server.base, SESSION) ?? ''
    const current = await server.call('GET /current/user', { token })
    t.match(current.json, { name: provider.person.claims['preferred_username'], admin: false })
    t.ok(Date.parse(textIn(current, 'elevatedUntil')) > Date.now() + 59 * MINUTE_MS, 'an hour')
    const clients = (await server.call('GET /client', { token })).json as object[]
    t.match(clients, [{ name: 'browser', expiresAfterInactivitySeconds: 604_800 }])
  })

  t.test('finds the same user again, whatever the name is by then', async (t) => {
    provider.person = newPerson()
    const id = async (): Promise<number> => {
      const browser = new Browser()
      await signIn(browser)
      const token = browser.cookie(server.base, SESSION) ?? ''
      return numberIn(await server.call('GET /current/user', { token }), 'id')
    }
    const first = await id()
    provider.person = { ...provider.person, claims: { preferred_username: 'somebody else' } }
    t.equal(await id(), first)
    // The old name is free of this person, yet still taken here.
    provider.person = newPerson()
    t.not(await id(), first)
  })

  t.test('lets one process end what another began', async (t) => {
    provider.person = newPerson()
    const browser = new Browser()
    const callback = await goAndComeBack(browser, '/auth/oidc/login?name=x')
    const state = new URL(callback).searchParams.get('state') ?? ''
    const answer = await fetch(callback.replace(server.base, other.base), {
      headers: { cookie: `a=b; gotify-oidc-state=${state}` },
      redirect: 'manual',
    })
    t.equal(answer.status, 307)
  })

  t.test('refuses a client without a name in plain text', async (t) => {
    for (const query of ['', '?name=', '?other=x']) {
      const answer = await server.call(`GET /auth/oidc/login${query}`)
      t.equal(answer.status, 400)
      t.equal(answer.text, 'invalid client name\n')
      t.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8')
    }
    t.equal((await server.call(`GET /auth/oidc/login?name=${'x'.repeat(1001)}`)).status, 400)
  })
})

t.test('[OIDC2] GET /auth/oidc/callback refuses', async (t) => {
  provider.person = newPerson()

  t.test('a state a second time, one it never gave, one that is late', async (t) => {
    const browser = new Browser()
    const callback = await goAndComeBack(browser, '/auth/oidc/login?name=x')
    t.equal((await browser.get(callback)).status, 307)
    const late = new Browser()
    const lateCallback = await goAndComeBack(late, '/auth/oidc/login?name=x')
    server.advance(10 * MINUTE_MS)
    for (const [who, url] of [
      [browser, callback],
      [late, lateCallback],
      [browser, `${server.base}/auth/oidc/callback?code=a&state=b`],
      [browser, `${server.base}/auth/oidc/callback`],
    ] as const) {
      const answer = await who.get(url)
      t.equal(answer.status, 400)
      t.equal(await answer.text(), 'unknown or expired state\n')
    }
    server.advance(-10 * MINUTE_MS)
  })

  t.test('another browser than the one that began', async (t) => {
    const callback = await goAndComeBack(new Browser(), '/auth/oidc/login?name=x')
    const victim = new Browser()
    const answer = await victim.get(callback)
    t.equal(answer.status, 401)
    t.match(await answer.text(), 'not begun in this browser')
    t.equal(victim.cookie(server.base, SESSION), undefined)
  })

  t.test('a wrong code, a refusal of the provider, a foreign issuer', async (t) => {
    for (const [change, reason] of [
      [(url: URL) => url.searchParams.set('code', 'wrong'), 'invalid_grant'],
      [(url: URL) => url.searchParams.delete('code'), 'sign-in failed'],
      [(url: URL) => url.searchParams.set('iss', 'https://evil.example'), 'sign-in failed'],
      [
        (url: URL) => {
          url.searchParams.delete('code')
          url.searchParams.set('error', 'access_denied')
          url.searchParams.set('error_description', 'not today')
        },
        'access_denied: not today',
      ],
    ] as const) {
      const browser = new Browser()
      const url = new URL(await goAndComeBack(browser, '/auth/oidc/login?name=x'))
      change(url)
      const answer = await browser.get(url.href)
      t.equal(answer.status, 401, reason)
      t.match(await answer.text(), reason)
      t.equal(browser.cookie(server.base, SESSION), undefined)
    }
  })
})

t.test('[OIDC3] GET /auth/oidc/elevate', async (t) => {
  provider.person = newPerson()
  const browser = new Browser()
  await signIn(browser)
  const token = browser.cookie(server.base, SESSION) ?? ''
  const plain = await server.call('POST /client', { token, json: { name: 'plain' } })
  const id = numberIn(plain, 'id')
  const path = `/auth/oidc/elevate?id=${id}&durationSeconds=600`
  const isElevated = async (): Promise<boolean> =>
    (await server.call('POST /current/user/password', { token: textIn(plain, 'token'), json: {} }))
      .status !== 403
  t.notOk(await isElevated())

  t.test('refuses the client of somebody else', async (t) => {
    const { person } = provider
    provider.person = newPerson()
    const stranger = new Browser()
    const answer = await stranger.get(await goAndComeBack(stranger, path))
    t.equal(answer.status, 404)
    t.equal(await answer.text(), 'client not found\n')
    t.notOk(await isElevated())
    provider.person = person
  })

  t.test('elevates a client of the person, at once', async (t) => {
    const answer = await browser.get(await goAndComeBack(browser, path))
    t.equal(answer.status, 200)
    t.match(answer.headers.get('content-type'), 'text/html')
    t.ok(await isElevated())
  })

  t.test('refuses what names no client and no time', async (t) => {
    for (const query of [
      '',
      '?id=1',
      '?durationSeconds=1',
      '?id=x&durationSeconds=1',
      '?id=1&durationSeconds=1e3',
    ]) {
      t.equal((await server.call(`GET /auth/oidc/elevate${query}`)).status, 400, query)
    }
  })
})

t.test('[OIDC4] POST /auth/oidc/external/authorize and token', async (t) => {
  interface Begun {
    readonly state: string
    readonly verifier: string
    readonly code: string
  }
  async function begin(): Promise<Begun> {
    const verifier = randomBytes(32).toString('base64url')
    const code_challenge = createHash('sha256').update(verifier).digest('base64url')
    const json = { code_challenge, redirect_uri: APP_REDIRECT, name: 'app' }
    const begun = await server.call('POST /auth/oidc/external/authorize', { json })
    const redirect = await new Browser().follow(textIn(begun, 'authorize_url'), APP_REDIRECT)
    const code = new URL(redirect).searchParams.get('code') ?? ''
    return { state: textIn(begun, 'state'), verifier, code }
  }
  const exchange = (
    { code, state, verifier }: Begun,
    at = server,
  ): ReturnType<ManagementServer['call']> =>
    at.call('POST /auth/oidc/external/token', {
      body: JSON.stringify({ code, state, code_verifier: verifier }),
    })

  t.test('gives an app a token, by any process', async (t) => {
    provider.person = newPerson()
    const answer = await exchange(await begin(), other)
    t.equal(answer.status, 200)
    const name = provider.person.claims['preferred_username']
    t.match(answer.json, { token: /^gtfyc\./, user: { name, admin: false } })
    const current = await server.call('GET /current/user', { token: textIn(answer, 'token') })
    t.match(current.json, { name })
  })

  t.test('refuses a wrong verifier and a wrong code, and no state works twice', async (t) => {
    const begun = await begin()
    const wrong = await exchange({ ...begun, verifier: randomBytes(32).toString('base64url') })
    t.equal(wrong.status, 401)
    t.match(wrong.json, { errorCode: 401, errorDescription: /^token exchange failed: / })
    const again = await exchange(begun)
    t.equal(again.status, 400)
    t.match(again.json, { errorDescription: 'unknown or expired state' })
    t.equal((await exchange({ ...(await begin()), code: 'wrong' })).status, 401)
  })

  t.test('takes no state of a browser', async (t) => {
    const callback = new URL(await goAndComeBack(new Browser(), '/auth/oidc/login?name=x'))
    const { state = '', code = '' } = Object.fromEntries(callback.searchParams)
    t.equal((await exchange({ state, code, verifier: 'x'.repeat(43) })).status, 400)
  })

  t.test('refuses bodies that lack something', async (t) => {
    const good = { code_challenge: 'x', redirect_uri: APP_REDIRECT, name: 'app' }
    for (const json of [
      {},
      { ...good, name: '' },
      { ...good, redirect_uri: 'no url' },
      { ...good, redirect_uri: `${APP_REDIRECT}?a=b` },
      { ...good, code_challenge: 7 },
    ]) {
      const answer = await server.call('POST /auth/oidc/external/authorize', { json })
      t.equal(answer.status, 400)
      t.match(answer.json, { error: 'Bad Request', errorCode: 400 })
    }
    t.equal((await server.call('POST /auth/oidc/external/token', { body: '{' })).status, 400)
    t.equal((await server.call('POST /auth/oidc/external/token')).status, 400)
  })
})

t.test('[OIDC5] a person is bound to an account by the rules of the settings', async (t) => {
  const user = await server.newUser()

  t.test('a name that is taken is refused', async (t) => {
    provider.person = newPerson(user.name)
    const answer = await signIn(new Browser())
    t.equal(answer.status, 403)
    t.match(await answer.text(), `username ${user.name} already exists and linking`)
  })

  t.test('GOTIFY_OIDC_LINK_BY_USERNAME lets one person take it over, and no second', async (t) => {
    const linking = await start({ GOTIFY_OIDC_LINK_BY_USERNAME: 'true' })
    provider.person = newPerson(user.name)
    const browser = new Browser()
    t.equal((await signIn(browser, linking)).status, 307)
    const token = browser.cookie(linking.base, SESSION) ?? ''
    t.equal(numberIn(await linking.call('GET /current/user', { token }), 'id'), user.id)
    provider.person = newPerson(user.name)
    const second = await signIn(new Browser(), linking)
    t.equal(second.status, 403)
    t.match(await second.text(), 'already bound to a different OIDC identity')
  })

  t.test('GOTIFY_OIDC_AUTOREGISTER=false makes no accounts', async (t) => {
    const closed = await start({ GOTIFY_OIDC_AUTOREGISTER: 'false' })
    provider.person = newPerson()
    const answer = await signIn(new Browser(), closed)
    t.equal(answer.status, 403)
    t.equal(await answer.text(), 'user does not exist and auto-registration is disabled\n')
  })

  t.test('the claim of the setting is the name', async (t) => {
    const nicknames = await start({ GOTIFY_OIDC_USERNAMECLAIM: 'nickname' })
    const nickname = randomUUID()
    provider.person = { subject: randomUUID(), claims: { preferred_username: 'no', nickname } }
    t.equal((await signIn(new Browser(), nicknames)).status, 307)
    const users = (await server.call('GET /user', { basic: ADMIN })).json as { name: string }[]
    t.ok(users.some(({ name }) => name === nickname))
    provider.person = { subject: randomUUID(), claims: {} }
    const nameless = await signIn(new Browser(), nicknames)
    t.equal(nameless.status, 500)
    t.equal(await nameless.text(), 'username claim "nickname" is missing\n')
  })
})

t.test('[OIDC6] the settings show in GET /gotifyinfo, and close the routes', async (t) => {
  t.match((await server.call('GET /gotifyinfo')).json, { oidc: true })
  const without = await startManagementServer(t, { connection })
  t.match((await without.call('GET /gotifyinfo')).json, { oidc: false })
  t.equal((await without.call('GET /auth/oidc/login?name=x')).status, 404)
})

t.test('[OIDC7] a provider that is away is told of, and asked again', async (t) => {
  const late = await start({ GOTIFY_OIDC_ISSUER: 'http://127.0.0.1:1' })
  const login = await late.call('GET /auth/oidc/login?name=x')
  t.equal(login.status, 503)
  t.match(login.text, 'the identity provider cannot be reached')
  const json = { code_challenge: 'x', redirect_uri: APP_REDIRECT, name: 'app' }
  const authorize = await late.call('POST /auth/oidc/external/authorize', { json })
  t.equal(authorize.status, 503)
  t.match(authorize.json, { errorCode: 503 })

  provider.person = newPerson()
  const browser = new Browser()
  const callback = await goAndComeBack(browser, '/auth/oidc/login?name=x')
  await provider.stop()
  const answer = await browser.get(callback)
  t.equal(answer.status, 503)
  t.equal(await answer.text(), 'the identity provider cannot be reached, try again\n')
})
