import type { ClientPrincipal, Principal, UserPrincipal } from '@bellwire/common'

/** A request as copied out of uWebSockets.js: safe to keep over an await. */
export interface HttpRequest {
  /** Upper case. */
  readonly method: string
  /** Path as sent, without the query, double slashes folded. */
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
export type Route =
  | {
      readonly method: string
      /** Path with `{name}` parts, e.g. `/application/{id}/message`. */
      readonly pattern: string
      readonly auth: 'none' | 'optional'
      readonly maxBodyBytes?: number
      readonly handle: (context: RouteContext) => Promise<HttpResponse> | HttpResponse
    }
  | {
      readonly method: string
      readonly pattern: string
      readonly auth: 'client' | 'elevated' | 'admin'
      readonly maxBodyBytes?: number
      readonly handle: (context: ManagedContext) => Promise<HttpResponse> | HttpResponse
    }
