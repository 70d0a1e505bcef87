/** GET /swagger and GET /docs: the description of what is served, for tools and for people. Main thread. */
import type { HttpResponse, Route, RouteContext } from '../http/types.ts'
import { docsPage } from './description/docs-page.ts'
import { describedEndpoints } from './description/endpoints.ts'
import type { Served } from './description/operation.ts'
import { swaggerDocument } from './description/swagger.ts'
import { createWebFile } from './web-file.ts'
import { page } from './web-pages.ts'

/** What the document holds in the place of the host; Gotify's does too. */
const ANY_HOST = 'localhost'
/** The page needs nothing but its own style and a picture. */
const DOCS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'"

/** @param routes every endpoint of the API but these two */
export async function descriptionPages(
  routes: readonly Served[],
  version: string,
): Promise<Route[]> {
  const own = ['/swagger', '/docs'].map(
    (pattern) => ({ method: 'GET', pattern, auth: 'none' }) as const,
  )
  const endpoints = describedEndpoints([...routes, ...own])
  const document = JSON.stringify(swaggerDocument(endpoints, version, ANY_HOST))
  const docs = await createWebFile(Buffer.from(docsPage(endpoints)), 'text/html; charset=utf-8', [
    ['content-security-policy', DOCS_POLICY],
  ])

  function swagger({ request }: RouteContext): HttpResponse {
    const base = new URLSearchParams(request.query).get('base') ?? ''
    const { headers } = request
    const host = base || headers.get('x-forwarded-host') || headers.get('host') || ANY_HOST
    return {
      status: 200,
      headers: [
        ['content-type', 'text/plain; charset=utf-8'],
        ['x-content-type-options', 'nosniff'],
      ],
      body: document.replace(`"host":"${ANY_HOST}"`, () => `"host":${JSON.stringify(host)}`),
    }
  }
  return [page('/swagger', swagger), page('/docs', ({ request }) => docs.answer(request))]
}
