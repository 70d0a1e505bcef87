/**
 * Keeps other sites from acting through the cookie that a browser sends on its own. Gateway thread;
 * before the token of a cookie is looked up. Follows Go's http.CrossOriginProtection, words included.
 */
import { PushError } from '@bellwire/common'
import type { HeaderSource } from '../http/header-source.ts'
import type { Credentials } from './credentials.ts'

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Returns FORBIDDEN if the token came from a cookie and another site may have caused the request.
 * @param method upper case
 */
export function crossSiteRefusal(
  req: HeaderSource,
  method: string,
  credentials: Credentials,
): PushError | null {
  if (credentials.source !== 'cookie' || SAFE_METHODS.has(method)) return null
  const site = req.getHeader('sec-fetch-site')
  if (site !== '') {
    if (site === 'same-origin' || site === 'none') return null
    return new PushError('FORBIDDEN', 'cross-origin request detected from Sec-Fetch-Site header')
  }
  const origin = req.getHeader('origin')
  if (origin === '' || hostOf(origin) === req.getHeader('host')) return null
  return new PushError(
    'FORBIDDEN',
    'cross-origin request detected, and/or browser is out of date: Sec-Fetch-Site is missing, and Origin does not match Host',
  )
}

function hostOf(origin: string): string {
  return origin.replace(/^[^:/]+:\/\//, '')
}
