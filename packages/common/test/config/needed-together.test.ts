/** Settings that need each other. */
import t from 'tap'
import { ConfigError, loadConfig } from '../../src/config/index.ts'

type Variables = Readonly<Record<string, string>>

function problemsOf(env: Variables): readonly string[] {
  try {
    loadConfig({ env, cwd: '/nowhere', home: '', cpuCount: 2 })
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

t.test('[CONF5] loadConfig() refuses a setting without the one that it needs', (t) => {
  const names = (variables: Variables): string[] =>
    problemsOf(variables).map((line) => line.slice(0, line.indexOf(':')))
  const files = { GOTIFY_SERVER_SSL_CERTFILE: 'a.pem', GOTIFY_SERVER_SSL_CERTKEY: 'b.pem' }
  const tls = { GOTIFY_SERVER_SSL_ENABLED: 'true' }
  t.strictSame(names({ GOTIFY_SERVER_SSL_ENABLED: 'F', GOTIFY_SERVER_SSL_CERTFILE: 'a.pem' }), [])
  t.strictSame(names({ ...tls, ...files }), [])
  t.strictSame(names(tls), ['GOTIFY_SERVER_SSL_CERTFILE', 'GOTIFY_SERVER_SSL_CERTKEY'])

  const order = {
    ...tls,
    GOTIFY_SERVER_SSL_LETSENCRYPT_ENABLED: 'true',
    GOTIFY_SERVER_SSL_LETSENCRYPT_ACCEPTTOS: 'true',
    GOTIFY_SERVER_SSL_LETSENCRYPT_HOSTS: 'push.example.org,localhost',
  }
  t.strictSame(names(order), [])
  for (const [name, value] of [
    ['GOTIFY_SERVER_SSL_ENABLED', 'false'],
    ['GOTIFY_SERVER_SSL_LETSENCRYPT_ACCEPTTOS', 'false'],
    ['GOTIFY_SERVER_SSL_LETSENCRYPT_HOSTS', ''],
    ['GOTIFY_SERVER_SSL_LETSENCRYPT_HOSTS', '*.example.org'],
    ['GOTIFY_SERVER_SSL_LETSENCRYPT_HOSTS', '192.0.2.1'],
    ['GOTIFY_SERVER_SSL_LETSENCRYPT_HOSTS', 'a.example,https://b.example'],
  ] as const) {
    t.strictSame(names({ ...order, [name]: value }), [name], value)
  }

  const oidc = {
    GOTIFY_OIDC_ENABLED: 'true',
    GOTIFY_OIDC_ISSUER: 'https://id.example/realm',
    GOTIFY_OIDC_CLIENTID: 'bellwire',
    GOTIFY_OIDC_REDIRECTURL: 'https://push.example/auth/oidc/callback',
  }
  t.strictSame(names(oidc), [])
  for (const [name, value] of [
    ['GOTIFY_OIDC_ISSUER', ''],
    ['GOTIFY_OIDC_ISSUER', 'id.example'],
    ['GOTIFY_OIDC_REDIRECTURL', 'https://push.example/auth/oidc/callback?a=b'],
    ['GOTIFY_OIDC_CLIENTID', ''],
    ['GOTIFY_OIDC_USERNAMECLAIM', ''],
    ['GOTIFY_OIDC_SCOPES', 'profile,email'],
  ] as const) {
    t.strictSame(names({ ...oidc, [name]: value }), [name], value)
  }
  t.end()
})
