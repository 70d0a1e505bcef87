/**
 * Reads the `{id}` of a path as Gotify does: an unsigned 64-bit number, leading zeros allowed.
 */
import { PushError } from '@bellwire/common'
import type { RouteContext } from '../http/types.ts'

const MAX_UINT64 = 2n ** 64n - 1n

/**
 * Returns the id of the path; 0, which no row has, stands for a number that is too big for an id.
 * @throws PushError BAD_REQUEST for anything that is no unsigned 64-bit number.
 */
export function pathId(context: RouteContext): number {
  const text = context.params['id'] ?? ''
  if (!/^\d{1,100}$/.test(text) || BigInt(text) > MAX_UINT64) {
    throw new PushError('BAD_REQUEST', 'invalid id')
  }
  const id = Number(text)
  return Number.isSafeInteger(id) ? id : 0
}
