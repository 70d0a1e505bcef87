/**
 * The cookie that ties a sign-in to the browser that began it: without it, somebody could make
 * another person's browser end a sign-in that is not theirs. Main thread.
 */
import type { HttpRequest } from '../http/types.ts'

const NAME = 'gotify-oidc-state'
const MAX_AGE_SECONDS = 600

type Header = readonly [string, string]

/** Lax: the browser must send it when the provider sends the person back. */
export function flowCookie(state: string, secure: boolean): Header {
  return setCookie(state, MAX_AGE_SECONDS, secure)
}

export function clearedFlowCookie(secure: boolean): Header {
  return setCookie('', 0, secure)
}

/** The state of the sign-in that this browser began last; '' without one. */
export function flowOf(request: HttpRequest): string {
  for (const part of (request.headers.get('cookie') ?? '').split(';')) {
    const [name = '', value = ''] = part.trim().split('=', 2)
    if (name === NAME) return value
  }
  return ''
}

function setCookie(value: string, maxAge: number, secure: boolean): Header {
  const attributes = `Path=/; Max-Age=${maxAge}; HttpOnly; ${secure ? 'Secure; ' : ''}SameSite=Lax`
  return ['set-cookie', `${NAME}=${value}; ${attributes}`]
}
