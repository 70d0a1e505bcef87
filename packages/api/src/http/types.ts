/**
 * The contract between the HTTP server and the endpoints behind it. Gateway thread. Nothing here
 * knows uWebSockets.js, so handlers can be called without a socket.
 */
import type { ClientPrincipal, Principal, UserPrincipal } from '@bellwire/common'

/** A request as copied out of uWebSockets.js: safe to keep over an await. */
export interface HttpRequest {
  /** Upper case. */
  readonly method: string
  /** Percent-decoded, double slashes folded, `.` and `..` resolved; without the query. */
  readonly path: string
  /** Query string without the question mark, '' if there is none. */
  readonly query: string
  /** Lower-case names; lines of the same name are joined with ', '. */
  readonly headers: ReadonlyMap<string, string>
  /** Address of the sender, behind trusted proxies the one they name. */
  readonly remoteAddress: string
  /** True over TLS. */
  readonly secure: boolean
}

export interface HttpResponse {
  readonly status: number
  readonly headers?: ReadonlyArray<readonly [name: string, value: string]>
  /** Absent: an empty body. */
  readonly body?: string | Uint8Array
}

/** What credentials an endpoint takes (gotify-compatible modes). */
export type AuthMode = 'none' | 'optional' | 'client' | 'elevated' | 'admin'

export interface RouteContext {
  readonly request: HttpRequest
  /** Values of the `{name}` parts of the pattern, percent-decoded. */
  readonly params: Readonly<Record<string, string>>
  /** Whole body, already within the route's bound. */
  readonly body: Uint8Array
  /** Null only for modes none and optional. */
  readonly principal: Principal | null
}

export interface ManagedContext extends RouteContext {
  readonly principal: ClientPrincipal | UserPrincipal
}

/** One endpoint: mode client, elevated and admin promise the handler a user behind the request. */
export type Route = PublicRoute | ManagedRoute

export interface PublicRoute extends RouteShape {
  readonly auth: 'none' | 'optional'
  readonly handle: (context: RouteContext) => Promise<HttpResponse> | HttpResponse
}

export interface ManagedRoute extends RouteShape {
  readonly auth: 'client' | 'elevated' | 'admin'
  readonly handle: (context: ManagedContext) => Promise<HttpResponse> | HttpResponse
}

interface RouteShape {
  readonly method: string
  /**
   * Path with `{name}` parts, e.g. `/application/{id}/message`. A last part `{name*}` takes the
   * whole rest of the path, slashes included, and may be empty.
   */
  readonly pattern: string
  /** Biggest body in bytes, 1 MiB unless told; above it the answer is 413. */
  readonly maxBodyBytes?: number
  /** A page outside the API: any origin may read it and GOTIFY_SERVER_RESPONSEHEADERS are not added. */
  readonly outsideApi?: boolean
}
