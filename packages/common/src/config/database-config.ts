/**
 * Joins GOTIFY_DATABASE_DIALECT and GOTIFY_DATABASE_CONNECTION, which make sense only together.
 * Used by load-config.ts.
 */
import { parseConnection } from './parse-connection.ts'
import { SETTINGS, type SettingValues } from './settings/index.ts'
import type { Config } from './types.ts'

/** The database of the settings; a line is added to `problems` when the two don't fit. */
export function databaseConfig(values: SettingValues, problems: string[]): Config['database'] {
  const dialect = values.GOTIFY_DATABASE_DIALECT
  const connection = values.GOTIFY_DATABASE_CONNECTION
  const isDefault = connection === '' || connection === SETTINGS.GOTIFY_DATABASE_CONNECTION.default

  if (dialect === 'embedded') {
    if (!isDefault) {
      problems.push(
        'GOTIFY_DATABASE_CONNECTION: must be left out unless GOTIFY_DATABASE_DIALECT is postgres: Bellwire keeps its own PostgreSQL in GOTIFY_DATADIR and reads no SQLite file; take the data of a gotify.db over with `bellwire import gotify.db`',
      )
    }
    return { dialect, connection: '' }
  }
  if (isDefault) {
    problems.push(
      'GOTIFY_DATABASE_CONNECTION: must be set when GOTIFY_DATABASE_DIALECT is postgres, such as postgres://gotify:secret@localhost:5432/gotify',
    )
    return { dialect, connection }
  }
  try {
    parseConnection(connection)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    problems.push(`GOTIFY_DATABASE_CONNECTION: ${error.message}`)
  }
  return { dialect, connection }
}
