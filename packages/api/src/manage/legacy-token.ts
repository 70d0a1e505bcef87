/** Whether a new token has the 15-character form of Gotify 2, which many senders still insist on. */
import type { RouteContext } from '../http/types.ts'
import { bindQuery } from './body-binding.ts'
import { boolean } from './fields.ts'

const QUERY_FIELDS = { legacyToken: boolean() }

/**
 * `?legacyToken=true` or `=false` decides for one request; `otherwise` is for those that say nothing.
 * @throws PushError BAD_REQUEST for a value that is neither true nor false
 */
export function wantsLegacyToken({ request }: RouteContext, otherwise = false): boolean {
  if (!new URLSearchParams(request.query).has('legacyToken')) return otherwise
  return bindQuery(request.query, QUERY_FIELDS).legacyToken
}
