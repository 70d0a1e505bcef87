/**
 * Reads GOTIFY_DATABASE_CONNECTION for an external PostgreSQL: a postgres:// URL, or the keyword form
 * of libpq that Gotify's users have (`host=... password='...'`). Called once at start to check it and
 * once by whoever connects.
 *
 * Both forms are brought to a URL and read by pg-connection-string, which comes with pg, with the TLS
 * meanings of libpq.
 */
import type { ClientConfig } from 'pg'
import { parse } from 'pg-connection-string'

/** Keywords of libpq that take effect. */
const KEYWORDS = [
  ...['host', 'port', 'user', 'password', 'dbname', 'options', 'application_name'],
  ...['connect_timeout', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'],
]

/** Seen in working Gotify setups, and without effect here: Bellwire reads and writes UTC and UTF-8. */
const TOLERATED = ['TimeZone', 'timezone', 'client_encoding']

/** `allow` and `prefer` promise nothing and fall back in silence; pg has no such fall-back. */
const TLS_MODES = ['disable', 'require', 'verify-ca', 'verify-full']

/** `keyword = value`; a value is bare up to white space or in single quotes, and a backslash keeps the next character. */
const PAIR = /\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\[^])*)'(?=\s|$)|(?!')((?:[^\s\\]|\\[^])*))\s*/y

/**
 * What pg needs to connect. Without `sslmode` the connection is plain; `require` encrypts without checking the
 * certificate, `verify-ca` checks who signed it, `verify-full` the host name too. Reads the files of `sslrootcert`,
 * `sslcert` and `sslkey`.
 *
 * @throws {Error} "must be ...", never with the password.
 */
export function parseConnection(text: string): ClientConfig {
  const url = /^(postgres(?:ql)?:\/\/[^?]*)\??(.*)$/s.exec(text)
  const keywords = url === null ? parseKeywords(text) : new URLSearchParams(url[2])
  checkKeywords(keywords)
  if (keywords.get('sslrootcert') === 'system') keywords.delete('sslrootcert')

  const parsed = readUrl(`${url?.[1] ?? 'postgres://'}?${keywords.toString()}`)
  const port = Number(parsed.port || 5432)
  if (!(port >= 1 && port <= 65535)) throw new Error('must have a port from 1 to 65535')
  if (parsed.host?.includes(',')) throw new Error('must have one host only')

  const given = {
    host: parsed.host,
    port,
    user: parsed.user,
    password: parsed.password,
    database: keywords.get('dbname') ?? parsed.database,
    ssl: parsed.ssl,
    options: parsed.options,
    application_name: parsed.application_name,
    connectionTimeoutMillis: Number(keywords.get('connect_timeout') ?? 0) * 1000 || undefined,
  }
  // What was not given is left to pg, which has libpq's defaults (PGHOST, the user's name, ...).
  return Object.fromEntries(
    Object.entries(given).filter(
      ([, value]) => value !== undefined && value !== null && value !== '',
    ),
  )
}

function parseKeywords(text: string): URLSearchParams {
  const keywords = new URLSearchParams()
  PAIR.lastIndex = 0
  for (let position = 0; position < text.length; position = PAIR.lastIndex) {
    const match = PAIR.exec(text)
    if (match?.[1] === undefined) {
      throw new Error(
        "must be a postgres:// URL or pairs such as host=localhost user=gotify password='it\\'s' dbname=gotify",
      )
    }
    const value = match[2] ?? match[3] ?? ''
    keywords.set(match[1], value.replace(/\\([^])/g, '$1'))
  }
  return keywords
}

function checkKeywords(keywords: URLSearchParams): void {
  for (const name of keywords.keys()) {
    if (KEYWORDS.includes(name) || TOLERATED.includes(name)) continue
    // The name stays out of the message: with a quote or an escape forgotten it is a piece of the password.
    throw new Error(
      `must be made of ${KEYWORDS.join(', ')}, and has a keyword that is none of them`,
    )
  }
  const mode = keywords.get('sslmode')
  if (mode !== null && !TLS_MODES.includes(mode)) {
    throw new Error(`must have an sslmode of ${TLS_MODES.join(', ')}`)
  }
  if (mode === 'verify-ca' && !keywords.has('sslrootcert')) {
    throw new Error('must have an sslrootcert with sslmode=verify-ca')
  }
  if (!/^\d{0,6}$/.test(keywords.get('connect_timeout') ?? '')) {
    throw new Error('must have a connect_timeout in whole seconds')
  }
}

function readUrl(url: string): ReturnType<typeof parse> {
  try {
    return parse(url, { useLibpqCompat: true })
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    const reason = path === undefined ? 'it is no valid URL' : `${path} cannot be read (${code})`
    throw new Error(`must be a postgres:// URL or host=... pairs that can be used, and ${reason}`, {
      cause: error,
    })
  }
}
