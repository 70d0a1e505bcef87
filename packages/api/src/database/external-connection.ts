/** Brings what pg reads from GOTIFY_DATABASE_CONNECTION to the plain object that travels to the workers. */
import { parseConnection } from '@bellwire/common/config'
import type { DatabaseConnection, DatabaseTls } from '@bellwire/common/db'
import type { ClientConfig } from 'pg'

const DEFAULT_PORT = 5432

export function externalConnection(text: string): DatabaseConnection {
  const given = parseConnection(text)
  const user = given.user ?? 'postgres'
  return {
    host: given.host ?? 'localhost',
    port: given.port ?? DEFAULT_PORT,
    user,
    password: typeof given.password === 'string' ? given.password : '',
    database: given.database ?? user,
    ssl: readTls(given.ssl),
  }
}

function readTls(ssl: ClientConfig['ssl']): false | DatabaseTls {
  if (ssl === undefined || ssl === false) return false
  if (ssl === true) return { rejectUnauthorized: true }
  const { ca, cert, key } = ssl
  return {
    rejectUnauthorized: ssl.rejectUnauthorized ?? true,
    ...(ca !== undefined && { ca: pem(ca) }),
    ...(cert !== undefined && { cert: pem(cert) }),
    ...(key !== undefined && { key: pem(key) }),
  }
}

/** pg's type allows more forms than parseConnection ever gives: it reads files as text. */
function pem(value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError('TLS material must be PEM text')
}
