/** The cookie of the web page on a running Bellwire: which requests set it again. */
import t from 'tap'
import { type Answer, ApiClient } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'

const bellwire = await startBellwire(t, { GOTIFY_SERVER_SECURECOOKIE: 'true' })
const api = new ApiClient(bellwire)
t.teardown(() => api.close())

function post(token: string, body: object): Promise<Answer> {
  const headers = {
    cookie: `gotify-client-token=${token}`,
    'content-type': 'application/json',
    'sec-fetch-site': 'same-origin',
  }
  return api.call('POST /message', { headers, body: JSON.stringify(body) })
}

function setAgain({ headers }: Answer): readonly string[] {
  return headers['set-cookie'] ?? []
}

function cookieWith(token: string): readonly string[] {
  const attributes = 'Path=/; Max-Age=604800; HttpOnly; Secure; SameSite=Strict'
  return [`gotify-client-token=${token}; ${attributes}`]
}

t.test('[AUTH16] POST /message sets the cookie again when its use is noted', async (t) => {
  const { applicationId: appid, applicationToken, clientToken } = await api.identity()
  const first = await post(clientToken, { message: 'm', appid })
  t.equal(first.status, 200, first.text)
  t.strictSame(setAgain(first), cookieWith(clientToken))
  const second = await post(clientToken, { message: 'm', appid })
  t.equal(second.status, 200)
  t.strictSame(setAgain(second), [], 'not within five minutes')

  const refused = await post(applicationToken, {})
  t.equal(refused.status, 400)
  t.strictSame(setAgain(refused), cookieWith(applicationToken), 'as Gotify does')
})

t.test('[AUTH16] A token from another place sets no cookie', async (t) => {
  const { applicationToken } = await api.identity()
  const answer = await api.publish(applicationToken, 'm')
  t.equal(answer.status, 200)
  t.strictSame(setAgain(answer), [])
})
