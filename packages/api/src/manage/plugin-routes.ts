/**
 * Gotify's plugin endpoints. Bellwire loads no plugins (Gotify's are Go libraries), so the list is
 * empty and every id unknown; the endpoints stay, because Gotify's web page asks for them.
 */
import { PushError } from '@bellwire/common'
import type { Route, RouteContext } from '../http/types.ts'
import { json } from './answers.ts'
import { pathId } from './numbered-path.ts'

const UNKNOWN = [
  ['GET', '/plugin/{id}/config'],
  ['POST', '/plugin/{id}/config'],
  ['GET', '/plugin/{id}/display'],
  ['POST', '/plugin/{id}/enable'],
  ['POST', '/plugin/{id}/disable'],
] as const

export function pluginRoutes(): Route[] {
  return [
    { method: 'GET', pattern: '/plugin', auth: 'client', handle: () => json([]) },
    ...UNKNOWN.map(([method, pattern]): Route => {
      return { method, pattern, auth: 'client', handle: refuse }
    }),
  ]
}

function refuse(context: RouteContext): never {
  pathId(context)
  throw new PushError('NOT_FOUND', 'unknown plugin')
}
