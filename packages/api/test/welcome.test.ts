import { loadConfig } from '@bellwire/common/config'
import t from 'tap'
import { welcome } from '../src/welcome.ts'

function welcomed(env: Record<string, string>, madeAdmin: boolean): string {
  const { config } = loadConfig({ env, cwd: '/', home: '', cpuCount: 1 })
  return welcome(config, { address: '127.0.0.1:8080', port: 8080, madeAdmin })
}

t.test('welcome() says where to go and who may log in', async (t) => {
  const first = welcomed({}, true)
  t.match(first, 'Bellwire listens on http://localhost:8080\n')
  t.match(first, 'Log in as "admin" with the password "admin" (change it soon).')
  t.match(first, "curl -u 'admin:admin' -F name=backup http://localhost:8080/application")
  const later = welcomed({}, false)
  t.match(later, 'Log in with the users you have.')
  t.match(later, "curl -u 'admin:PASSWORD' ")
})

t.test('welcome() keeps a password that was chosen to itself', async (t) => {
  const text = welcomed({ GOTIFY_DEFAULTUSER_NAME: 'ann', GOTIFY_DEFAULTUSER_PASS: 's3cret' }, true)
  t.match(text, 'Log in as "ann" with the password you chose (GOTIFY_DEFAULTUSER_PASS).')
  t.match(text, "curl -u 'ann:PASSWORD' ")
  t.notMatch(text, 's3cret')
})
