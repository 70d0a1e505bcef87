/** The path of a request, made comparable. Gateway thread; before routing. */

/** True for most requests: nothing to decode, fold or resolve. */
const PLAIN = /^(?:\/(?!\.)[^/%\\]*)+$/

/**
 * Decodes a path, folds its double slashes and resolves `.` and `..`, in that order as Gotify does,
 * so `//host/%2e%2e/message` is `/message` and a redirect to the result never leaves this server.
 * A trailing slash stays. Returns null for a path that is no valid percent-encoding of UTF-8.
 */
export function normalizePath(raw: string): string | null {
  if (PLAIN.test(raw) && !raw.includes('//')) return raw
  let decoded: string
  try {
    decoded = decodeURIComponent(raw)
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
  const parts: string[] = []
  const segments = decoded.split('/')
  for (const segment of segments) {
    if (segment === '..') parts.pop()
    else if (segment !== '' && segment !== '.') parts.push(segment)
  }
  if (parts.length === 0) return '/'
  const last = segments.at(-1)
  const trailing = last === '' || last === '.' || last === '..' ? '/' : ''
  return `/${parts.join('/')}${trailing}`
}
