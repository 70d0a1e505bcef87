/**
 * The web pages at /: those of a built web app where a folder is set, else the start page. Main
 * thread. The start page is an app of one page: both are served by the same few lines.
 */
import { encodeJson } from '@bellwire/common'
import { fileURLToPath } from 'node:url'
import { errorResponse, pageNotFound } from '../http/response.ts'
import type { HttpResponse, Route, RouteContext } from '../http/types.ts'
import type { VersionInfo } from '../manage/deps.ts'
import { createWebFile, type WebFile } from './web-file.ts'
import { contentTypeOf, readWebFolder } from './web-folder.ts'

/** Seen from dist/src/web. */
const OWN_FOLDER = fileURLToPath(new URL('../../../assets/web', import.meta.url))
const STATIC = 'static/'
/** A file beside index.html; none of these can be a path of the API, which has no dots. */
const PAGE_NAME = /^[\w-]+(\.[\w-]+)+$/

/** What Gotify's web app reads from `window.config`. */
export interface PageConfig {
  readonly register: boolean
  readonly version: VersionInfo
  readonly oidc: boolean
}

/**
 * @param uiDir folder of a built web app; '' for the start page
 * @throws {StartError} The folder is none of a web app.
 */
export async function webPages(uiDir: string, config: PageConfig): Promise<Route[]> {
  const own = await readWebFolder(OWN_FOLDER)
  const pictures = [...own].filter(([name]) => name.startsWith(STATIC))
  // An app that brings no picture of its own for applications still shows one.
  const contents =
    uiDir === '' ? own : new Map([...pictures, ...(await readWebFolder(uiDir)).entries()])
  const files = new Map<string, WebFile>()
  for (const [name, content] of contents) files.set(name, await webFile(name, content, config))

  const pages = [...files].filter(([name]) => PAGE_NAME.test(name))
  const served = new Map(pages.map(([name, file]) => [`/${name}`, file]))
  const [index, icon] = [files.get('index.html'), files.get(`${STATIC}favicon.ico`)]
  if (index !== undefined) served.set('/', index)
  // Browsers look for it there without being told.
  if (icon !== undefined && !served.has('/favicon.ico')) served.set('/favicon.ico', icon)

  function serveStatic({ params, request }: RouteContext): HttpResponse {
    const file = files.get(STATIC + (params['name'] ?? ''))
    return file?.answer(request) ?? errorResponse(pageNotFound())
  }
  return [
    ...[...served].map(([pattern, file]) => page(pattern, ({ request }) => file.answer(request))),
    page(`/${STATIC}{name*}`, serveStatic),
  ]
}

/** A GET endpoint outside the API. */
export function page(pattern: string, handle: (context: RouteContext) => HttpResponse): Route {
  return { method: 'GET', pattern, auth: 'none', outsideApi: true, handle }
}

function webFile(name: string, content: Buffer, config: PageConfig): Promise<WebFile> {
  if (name !== 'index.html') return createWebFile(content, contentTypeOf(name))
  // Escaped as Gotify's JSON is, so no text in it ends the script that it stands in.
  const html = content.toString('utf8').replace('%CONFIG%', () => encodeJson(config))
  return createWebFile(Buffer.from(html), 'text/html')
}
