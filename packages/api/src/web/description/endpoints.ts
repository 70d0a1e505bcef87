/**
 * Joins what is served with what is said about it. The endpoints themselves decide what is in the
 * description, so it names each of them and no other; a test makes sure that none lacks its words.
 */
import { ACCOUNT_OPERATIONS } from './account-operations.ts'
import { APPLICATION_OPERATIONS } from './application-operations.ts'
import { MESSAGE_OPERATIONS } from './message-operations.ts'
import { OIDC_OPERATIONS } from './oidc-operations.ts'
import type { Operation, Operations, Served } from './operation.ts'
import { SERVER_OPERATIONS } from './server-operations.ts'

export const OPERATIONS: Operations = {
  ...MESSAGE_OPERATIONS,
  ...APPLICATION_OPERATIONS,
  ...ACCOUNT_OPERATIONS,
  ...OIDC_OPERATIONS,
  ...SERVER_OPERATIONS,
}

/** Outside the route table: they read and write for themselves. */
const RAW: readonly Served[] = [
  { method: 'POST', pattern: '/message', auth: 'application or client' },
  { method: 'GET', pattern: '/stream', auth: 'client' },
]

export interface Endpoint {
  readonly method: string
  readonly path: string
  readonly auth: Served['auth']
  readonly operation: Operation
}

export function describedEndpoints(routes: readonly Served[]): Endpoint[] {
  return [...RAW, ...routes].map(({ method, pattern, auth }) => {
    const path = pattern.replace('*}', '}')
    return { method, path, auth, operation: operationOf(method, path) }
  })
}

/** HEAD needs no words of its own. */
function operationOf(method: string, path: string): Operation {
  const isHead = method === 'HEAD'
  const operation = OPERATIONS[`${isHead ? 'GET' : method} ${path}`] ?? {
    id: `${method} ${path}`,
    tag: 'server',
    summary: 'Not described yet',
  }
  return isHead ? { ...operation, id: `${operation.id}Head` } : operation
}
