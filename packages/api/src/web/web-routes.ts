/** Everything that is served for browsers: the web pages and the description of the API. Main thread. */
import type { Config } from '@bellwire/common/config'
import type { Route } from '../http/types.ts'
import type { VersionInfo } from '../manage/deps.ts'
import { descriptionPages } from './description-pages.ts'
import { webPages } from './web-pages.ts'

/**
 * @param api every endpoint to describe
 * @throws {StartError} GOTIFY_SERVER_UIDIR is no folder of a web app.
 */
export async function webRoutes(
  api: readonly Route[],
  { server, registration, oidc }: Config,
  version: VersionInfo,
): Promise<Route[]> {
  const config = { register: registration, version, oidc: oidc.enabled }
  return [
    ...(await webPages(server.uiDir, config)),
    ...(await descriptionPages(api, version.version)),
  ]
}
