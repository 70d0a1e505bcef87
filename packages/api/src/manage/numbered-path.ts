/**
 * Reads the `{id}` of a path as Gotify does: an unsigned 64-bit number, leading zeros allowed.
 */
import { PushError } from '@bellwire/common'
import type { RouteContext } from '../http/types.ts'
import { parseUint64 } from './uint64.ts'

/**
 * Returns the id of the path; 0, which no row has, stands for a number that is too big for an id.
 * @throws PushError BAD_REQUEST for anything that is no unsigned 64-bit number.
 */
export function pathId(context: RouteContext): number {
  const number = parseUint64(context.params['id'] ?? '')
  if (number === null) throw new PushError('BAD_REQUEST', 'invalid id')
  const id = Number(number)
  return Number.isSafeInteger(id) ? id : 0
}
