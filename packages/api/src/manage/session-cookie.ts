/**
 * The text of the cookie that holds the token of a browser session, attribute by attribute as
 * Gotify sets it. Pure; login and logout set and clear it, authentication sets it again while the
 * session is in use.
 */
const NAME = 'gotify-client-token'
const MAX_AGE_SECONDS = 7 * 24 * 60 * 60

/** @param secure true: the browser sends the cookie over TLS alone */
export function sessionCookie(token: string, secure: boolean): string {
  return cookie(token, MAX_AGE_SECONDS, secure)
}

/** The cookie that makes the browser forget the session. */
export function clearedSessionCookie(secure: boolean): string {
  return cookie('', 0, secure)
}

function cookie(value: string, maxAgeSeconds: number, secure: boolean): string {
  const flags = secure ? 'HttpOnly; Secure' : 'HttpOnly'
  return `${NAME}=${value}; Path=/; Max-Age=${String(maxAgeSeconds)}; ${flags}; SameSite=Strict`
}
