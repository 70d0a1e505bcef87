/** What an endpoint's mode asks of a proven principal; words and order are Gotify's. Gateway thread; pure. */
import { type Principal, PushError } from '@bellwire/common'
import type { AuthMode } from '../http/types.ts'

/** The 401 for missing and wrong credentials alike. */
export function unauthenticated(): PushError {
  return new PushError(
    'UNAUTHENTICATED',
    'you need to provide a valid access token or user credentials to access this api',
  )
}

/** @throws {PushError} UNAUTHENTICATED, FORBIDDEN */
export function authorize(principal: Principal | null, mode: AuthMode, now: number): void {
  if (mode === 'none' || mode === 'optional') return
  if (principal === null || principal.kind === 'application') throw unauthenticated()
  if (mode === 'client') return
  if (mode === 'admin' && !principal.admin) {
    throw new PushError('FORBIDDEN', 'you are not allowed to access this api')
  }
  const elevated =
    principal.kind === 'user' || (principal.elevatedUntil !== null && principal.elevatedUntil > now)
  if (!elevated) {
    throw new PushError('FORBIDDEN', 'session not elevated, use basic auth or call /client:elevate')
  }
}
