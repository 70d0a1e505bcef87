/** Which web pages may open the stream. Main thread; after CORS, before credentials. Follows gorilla's and Gotify's check. */
import type { HeaderSource } from '../http/header-source.ts'

/** No Origin, our own host, or a host name that GOTIFY_SERVER_STREAM_ALLOWEDORIGINS allows. */
export function originMayStream(req: HeaderSource, allowed: readonly RegExp[]): boolean {
  const origin = req.getHeader('origin')
  if (origin === '') return true
  if (!URL.canParse(origin)) return false
  const { host, hostname } = new URL(origin)
  if (host.toLowerCase() === req.getHeader('host').toLowerCase()) return true
  return allowed.some((pattern) => pattern.test(hostname.toLowerCase()))
}
