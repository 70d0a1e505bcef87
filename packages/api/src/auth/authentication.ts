/** What authentication says about a request. Gateway thread; between auth/ and http/. */
import type { Principal } from '@bellwire/common'
import type { HttpResponse } from '../http/types.ts'

export interface Authentication {
  /** Null only for the modes none and optional. */
  readonly principal: Principal | null
  /** What the answer must carry: the refreshed cookie. */
  readonly headers: NonNullable<HttpResponse['headers']>
}

export const ANONYMOUS: Authentication = { principal: null, headers: [] }
