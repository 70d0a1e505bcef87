/**
 * Which web pages of other sites may use the API, and the headers that every API answer carries.
 * Gateway thread; before credentials are looked at. Follows Gotify (its auth/cors.go and
 * gin-contrib/cors): any Origin that is neither our own nor allowed is refused, on every method.
 */
import type { ServerConfig } from '@bellwire/common/config'
import type { HeaderSource } from './header-source.ts'
import type { HttpResponse } from './types.ts'

export type HeaderList = NonNullable<HttpResponse['headers']>

export interface OriginDecision {
  /** False: answer 403 with an empty body. */
  readonly allowed: boolean
  /** What the answer carries in either case. */
  readonly headers: HeaderList
}

const PREFLIGHT_MAX_AGE_SECONDS = 12 * 60 * 60
const ALLOW_ORIGIN = 'access-control-allow-origin'
/** The server frames its answers itself: a setting must not say otherwise. */
const RESERVED = new Set(['content-type', 'content-length', 'transfer-encoding', 'connection'])
const EMPTY_JSON = ['content-type', 'application/json'] as const

export class CorsPolicy {
  readonly #patterns: readonly RegExp[]
  /** Origin of the Access-Control-Allow-Origin response header, if that is the only permission; '*' for all. */
  readonly #fixedOrigin: string | null
  readonly #plain: HeaderList
  readonly #plainWithoutOrigin: HeaderList
  readonly #preflight: HeaderList

  constructor(config: Pick<ServerConfig, 'cors' | 'responseHeaders'>) {
    const { allowOrigins, allowMethods, allowHeaders } = config.cors
    this.#patterns = allowOrigins
    this.#plain = Object.entries(config.responseHeaders).filter(
      ([name]) => !RESERVED.has(name.toLowerCase()),
    )
    this.#plainWithoutOrigin = this.#plain.filter(([name]) => name.toLowerCase() !== ALLOW_ORIGIN)
    const header = this.#plain.find(([name]) => name.toLowerCase() === ALLOW_ORIGIN)
    this.#fixedOrigin = allowOrigins.length === 0 ? (header?.[1] ?? null) : null
    const lists: Array<readonly [string, string]> = []
    if (allowMethods.length > 0)
      lists.push(['Access-Control-Allow-Methods', joined(allowMethods, upperCase)])
    if (allowHeaders.length > 0)
      lists.push(['Access-Control-Allow-Headers', joined(allowHeaders, canonical)])
    this.#preflight = [...lists, ['Access-Control-Max-Age', String(PREFLIGHT_MAX_AGE_SECONDS)]]
  }

  /** Headers of an answer to a request without an Origin: the usual case, and no allocation. */
  get plainHeaders(): HeaderList {
    return this.#plain
  }

  /**
   * @param origin the Origin header, '' without one
   * @param host the Host header
   */
  decide(origin: string, host: string): OriginDecision {
    if (isOwn(origin, host)) return { allowed: true, headers: this.#plain }
    if (!this.#allows(origin)) return { allowed: false, headers: this.#plain }
    const vary: HeaderList = this.#fixedOrigin === '*' ? [] : [['Vary', 'Origin']]
    return { allowed: true, headers: [...this.#originHeaders(origin), ...vary] }
  }

  /** The answer to OPTIONS: 200 for our own pages, 204 with the permissions for allowed ones. */
  options(origin: string, host: string): HttpResponse {
    const decision = this.decide(origin, host)
    if (!decision.allowed) return refusal(decision)
    if (isOwn(origin, host)) return { status: 200, headers: [EMPTY_JSON, ...decision.headers] }
    const vary: HeaderList =
      this.#fixedOrigin === '*'
        ? []
        : [['Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers']]
    return {
      status: 204,
      headers: [...this.#originHeaders(origin), ...this.#preflight, ...vary],
    }
  }

  #originHeaders(origin: string): HeaderList {
    const value = this.#fixedOrigin === '*' ? '*' : origin
    return [...this.#plainWithoutOrigin, ['Access-Control-Allow-Origin', value]]
  }

  #allows(origin: string): boolean {
    if (this.#fixedOrigin !== null) return this.#fixedOrigin === '*' || this.#fixedOrigin === origin
    const lower = origin.toLowerCase()
    return this.#patterns.some((pattern) => pattern.test(lower))
  }
}

/** The 403 without a body for a page that may not use the API; the decision's headers go beside it. */
export const originRefusal: HttpResponse = { status: 403, headers: [EMPTY_JSON] }

/** The same with the decision's headers in it. */
export function refusal(decision: OriginDecision): HttpResponse {
  return { status: 403, headers: [EMPTY_JSON, ...decision.headers] }
}

/** Decides about a request that has not been copied; cheap when it carries no Origin. */
export function decideOrigin(req: HeaderSource, cors: CorsPolicy): OriginDecision {
  const origin = req.getHeader('origin')
  if (origin === '') return { allowed: true, headers: cors.plainHeaders }
  return cors.decide(origin, req.getHeader('host'))
}

function isOwn(origin: string, host: string): boolean {
  return origin === '' || origin === `http://${host}` || origin === `https://${host}`
}

function joined(values: readonly string[], form: (value: string) => string): string {
  return [...new Set(values.map((value) => form(value.trim())))].join(',')
}

function upperCase(value: string): string {
  return value.toUpperCase()
}

/** Go's canonical header form: `content-type` becomes `Content-Type`. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())
}
