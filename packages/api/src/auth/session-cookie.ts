/** The cookie of the web page: a client token that scripts cannot read. Gateway thread. Attributes are Gotify's. */

export const SESSION_COOKIE = 'gotify-client-token'
const MAX_AGE_SECONDS = 7 * 24 * 60 * 60

/** @param secure GOTIFY_SERVER_SECURECOOKIE */
export function sessionCookie(token: string, secure: boolean): readonly [string, string] {
  return setCookie(token, MAX_AGE_SECONDS, secure)
}

/** Makes the browser forget the cookie. */
export function clearedSessionCookie(secure: boolean): readonly [string, string] {
  return setCookie('', 0, secure)
}

function setCookie(value: string, maxAge: number, secure: boolean): readonly [string, string] {
  const attributes = `Path=/; Max-Age=${maxAge}; HttpOnly; ${secure ? 'Secure; ' : ''}SameSite=Strict`
  return ['set-cookie', `${SESSION_COOKIE}=${value}; ${attributes}`]
}
