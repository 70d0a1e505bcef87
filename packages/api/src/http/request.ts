/**
 * Copies a request out of uWebSockets.js, whose request object lives only until the handler
 * returns. Gateway thread; before authentication.
 */
import type * as uws from 'uWebSockets.js'
import { addressText, type TrustedProxies } from './client-address.ts'
import type { HeaderSource } from './header-source.ts'
import type { HttpRequest } from './types.ts'

export interface CopyOptions {
  readonly method: string
  readonly path: string
  readonly secure: boolean
  readonly proxies: TrustedProxies
}

/** Must run before the first await of the handler. */
export function copyRequest(
  res: uws.HttpResponse,
  req: uws.HttpRequest,
  options: CopyOptions,
): HttpRequest {
  const headers = copyHeaders(req)
  const socketAddress = addressText(res.getRemoteAddress())
  return {
    method: options.method,
    path: options.path,
    query: queryOf(req),
    headers,
    remoteAddress: options.proxies.clientAddress(socketAddress, headers.get('x-forwarded-for')),
    secure: options.secure,
  }
}

/** The typings promise a string, but a request without a question mark has none. */
function queryOf(req: HeaderSource): string {
  return req.getQuery() ?? ''
}

function copyHeaders(req: uws.HttpRequest): Map<string, string> {
  const headers = new Map<string, string>()
  req.forEach((name, value) => {
    const known = headers.get(name)
    const separator = name === 'cookie' ? '; ' : ', '
    headers.set(name, known === undefined ? value : known + separator + value)
  })
  return headers
}
