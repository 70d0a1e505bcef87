/**
 * Reads what a request presents as proof: a token from the first of its four places, and a name
 * with a password. Gateway thread; before any look-up. Cheap, the hot paths call it too.
 */
import { type HeaderSource, queryValue } from '../http/header-source.ts'
import { SESSION_COOKIE } from './session-cookie.ts'

/** Where a token was found; only a cookie is sent by browsers on their own. */
export type TokenSource = 'query' | 'header' | 'bearer' | 'cookie'

export interface Credentials {
  /** '' if there is none. A wrong one is final: the places after it are not looked at. */
  readonly token: string
  readonly source: TokenSource | null
  readonly basic: BasicCredentials | null
}

export interface BasicCredentials {
  readonly name: string
  readonly password: string
}

const BEARER = 'bearer '
const BASIC = 'basic '

/** Places in Gotify's order: query, X-Gotify-Key, bearer, cookie. */
export function readCredentials(req: HeaderSource): Credentials {
  const authorization = req.getHeader('authorization')
  const basic = readBasic(authorization)
  const inQuery = queryValue(req.getQuery(), 'token')
  if (inQuery !== '') return { token: inQuery, source: 'query', basic }
  const inHeader = req.getHeader('x-gotify-key')
  if (inHeader !== '') return { token: inHeader, source: 'header', basic }
  const bearer = hasScheme(authorization, BEARER) ? authorization.slice(BEARER.length) : ''
  if (bearer !== '') return { token: bearer, source: 'bearer', basic }
  const inCookie = cookieValue(req.getHeader('cookie'), SESSION_COOKIE)
  if (inCookie !== '') return { token: inCookie, source: 'cookie', basic }
  return { token: '', source: null, basic }
}

/** Reads an Authorization header; null if it is no well-formed Basic one (RFC 7617). */
export function readBasic(authorization: string): BasicCredentials | null {
  if (!hasScheme(authorization, BASIC)) return null
  const encoded = authorization.slice(BASIC.length)
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) return null
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? null : { name: text.slice(0, colon), password: text.slice(colon + 1) }
}

function hasScheme(authorization: string, scheme: string): boolean {
  return authorization.slice(0, scheme.length).toLowerCase() === scheme
}

function cookieValue(header: string, name: string): string {
  if (!header.includes(name)) return ''
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (pair.slice(0, equals).trim() !== name) continue
    return pair
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1')
  }
  return ''
}
