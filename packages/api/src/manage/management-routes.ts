/**
 * All management endpoints: everything of Gotify's API but publishing, the live stream and the web
 * page. Main thread; http/ matches, authenticates and reads the body before a handler runs.
 */
import { toPushError } from '@bellwire/common/db'
import type { HttpResponse, PublicRoute, Route } from '../http/types.ts'
import { oidcRoutes } from '../oidc/oidc-routes.ts'
import { applicationImageRoutes } from './application-image.ts'
import { applicationRoutes } from './application-routes.ts'
import { clientRoutes } from './client-routes.ts'
import { currentUserRoutes } from './current-user-routes.ts'
import type { ManagementDeps } from './deps.ts'
import { ImageFiles } from './image-files.ts'
import { infoRoutes } from './info-routes.ts'
import { messageRoutes } from './message-routes.ts'
import { pluginRoutes } from './plugin-routes.ts'
import { sessionRoutes } from './session-routes.ts'
import { userRoutes } from './user-routes.ts'

type Answer = Promise<HttpResponse> | HttpResponse

export function managementRoutes(deps: ManagementDeps): Route[] {
  const images = new ImageFiles(deps.config.uploadedImagesDir)
  return [
    ...messageRoutes(deps),
    ...applicationRoutes(deps, images),
    ...applicationImageRoutes(deps, images),
    ...clientRoutes(deps),
    ...sessionRoutes(deps),
    ...oidcRoutes(deps),
    ...userRoutes(deps, images),
    ...currentUserRoutes(deps),
    ...infoRoutes(deps),
    ...pluginRoutes(),
  ].map(withDatabaseErrors)
}

/** A handler whose query meets a database that is away answers 503 instead of 500. */
function withDatabaseErrors(route: Route): Route {
  return isPublic(route)
    ? { ...route, handle: translateErrors(route.handle) }
    : { ...route, handle: translateErrors(route.handle) }
}

function translateErrors<Context>(handle: (context: Context) => Answer) {
  return async (context: Context): Promise<HttpResponse> => {
    try {
      return await handle(context)
    } catch (error) {
      throw toPushError(error)
    }
  }
}

function isPublic(route: Route): route is PublicRoute {
  return route.auth === 'none' || route.auth === 'optional'
}
