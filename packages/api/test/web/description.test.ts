/** The description of the API against the endpoints themselves. */
import t from 'tap'
import { describedEndpoints, OPERATIONS } from '../../src/web/description/endpoints.ts'
import { DEFINITIONS } from '../../src/web/description/definitions.ts'
import { swaggerDocument } from '../../src/web/description/swagger.ts'
import { startManagementServer } from '../manage/management-server.ts'
import { startTestPostgres } from '../support/postgres.ts'

/** Served beside the management endpoints. */
const OTHERS = ['POST /message', 'GET /stream', 'GET /metrics', 'GET /swagger', 'GET /docs']

t.test('[WEB3] every endpoint has its words, and nothing else has any', async (t) => {
  const { routes } = await startManagementServer(t, { connection: await startTestPostgres(t) })
  const names = routes.map(({ method, pattern }) => `${method} ${pattern.replace('*}', '}')}`)
  const served = [...names.filter((name) => !name.startsWith('HEAD ')), ...OTHERS]
  t.strictSame(served.toSorted(), Object.keys(OPERATIONS).toSorted())

  const document = swaggerDocument(describedEndpoints(routes), '3.0.0', 'a.example') as {
    paths: Record<string, Record<string, { operationId: string }>>
  }
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  t.strictSame(described.toSorted(), [...names, 'POST /message', 'GET /stream'].toSorted())

  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods))
  const ids = operations.map(({ operationId }) => operationId)
  t.equal(new Set(ids).size, ids.length, 'every operation has an id of its own')
  for (const [, name = ''] of JSON.stringify(document).matchAll(/#\/definitions\/(\w+)/g)) {
    t.ok(name in DEFINITIONS, name)
  }
})
