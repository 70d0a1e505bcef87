/** The description of the API against the endpoints of a running Bellwire. */
import t from 'tap'
import { DEFINITIONS } from '../../src/web/description/definitions.ts'
import { OPERATIONS } from '../../src/web/description/endpoints.ts'
import { ApiClient } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { operationId: string }>>>>
}

t.setTimeout(60_000)

t.test('GET /swagger', async (t) => {
  const api = new ApiClient(await startBellwire(t))
  const { text } = await api.call('GET /swagger')
  const { paths } = JSON.parse(text) as Document
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )

  t.test('[WEB3] every endpoint has its words, and nothing else has any', (t) => {
    const gets = described.filter((name) => !name.startsWith('HEAD '))
    // OpenID Connect is not set up here.
    const words = Object.keys(OPERATIONS).filter((name) => !name.includes('/auth/oidc/'))
    t.strictSame(gets.toSorted(), words.toSorted())
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    )
    t.equal(new Set(ids).size, ids.length, 'every operation has an id of its own')
    for (const [, name = ''] of text.matchAll(/#\/definitions\/(\w+)/g)) {
      t.ok(name in DEFINITIONS, name)
    }
    t.end()
  })

  t.test('[WEB3] every endpoint that is described is there', async (t) => {
    // A missing picture is answered as an unknown path is.
    for (const name of described.filter((each) => !each.endsWith(' /image/{name}'))) {
      const answer = await api.call(name.replace('{id}', '1'))
      t.ok(answer.status > 0, name)
      t.notMatch(answer.text, /page not found/, name)
    }
  })
})
