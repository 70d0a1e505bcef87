/** The effective settings as plain values for the one log line of a start. Used by main.ts. */
import { parseConnection } from './parse-connection.ts'
import type { Config } from './types.ts'

const MASK = '***'

/** A JSON-ready copy of `config` without passwords, secrets and header values. */
export function describeConfig(config: Config): Record<string, unknown> {
  const { server, database, oidc } = config
  const shown = {
    ...config,
    server: {
      ...server,
      responseHeaders: Object.keys(server.responseHeaders),
      cluster: { ...server.cluster, hints: server.cluster.hints.replace(/\/\/.*@/, `//${MASK}@`) },
    },
    database:
      database.dialect === 'embedded' ? { dialect: database.dialect } : describeDatabase(database),
    defaultUser: { name: config.defaultUser.name, pass: MASK },
    oidc: { ...oidc, clientSecret: oidc.clientSecret === '' ? '' : MASK },
  }
  const text = JSON.stringify(shown, (_, value: unknown) =>
    value instanceof RegExp ? value.source : value,
  )
  return JSON.parse(text) as Record<string, unknown>
}

function describeDatabase({ dialect, connection }: Config['database']): Record<string, unknown> {
  const { host, port, database, user, ssl } = parseConnection(connection)
  return { dialect, host, port, database, user, tls: Boolean(ssl) }
}
