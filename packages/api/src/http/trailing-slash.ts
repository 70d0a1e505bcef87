/** Sends requests with a slash too many or too few to the known path, as Gotify does. Gateway thread; routing. */
import type { HttpResponse } from './types.ts'

/**
 * Returns the redirect to the same path with its trailing slash toggled, if that path is known.
 * The path is normalized, so the target begins with one slash and stays on this server.
 */
export function trailingSlashRedirect(
  method: string,
  path: string,
  query: string | undefined,
  isKnown: (path: string) => boolean,
): HttpResponse | null {
  if (path === '/' || method === 'OPTIONS') return null
  const other = path.endsWith('/') ? path.slice(0, -1) : `${path}/`
  if (!isKnown(other)) return null
  const target = other.split('/').map(encodeURIComponent).join('/')
  const suffix = query === undefined || query === '' ? '' : `?${query}`
  return { status: method === 'GET' ? 301 : 307, headers: [['location', target + suffix]] }
}
