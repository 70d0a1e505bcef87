/**
 * Values that a row loses on its way: read as gotify-values.ts does, and told of in the report. Pure
 * but for the report.
 */
import type { GotifyRow, GotifyTable } from './gotify-source.ts'
import { extrasOf, millisOf, textOf } from './gotify-values.ts'
import type { ImportReport } from './import-report.ts'

/** Milliseconds since 1970; null for NULL, and for what is no time, which is counted. */
export function timeIn(
  table: GotifyTable,
  row: GotifyRow,
  column: string,
  report: ImportReport,
): number | null {
  const value = row[column]
  const time = millisOf(value)
  // PostgreSQL has times that are no text and beyond those of RFC 3339.
  if (time === null && (value instanceof Date || textOf(value) !== '')) {
    report.leftOut(`times of ${table} that cannot be read ("${column}")`)
  }
  return time
}

/** The JSON text of a message's extras; null for none, and for what is no JSON object, which is counted. */
export function extrasIn(row: GotifyRow, report: ImportReport): string | null {
  const extras = extrasOf(row['extras'])
  if (extras === null && !NO_EXTRAS.has(textOf(row['extras']).trim())) {
    report.leftOut('extras of messages that are no JSON object')
  }
  return extras
}

/** NULL comes as an empty text; Go writes null for a map that is not there. */
const NO_EXTRAS: ReadonlySet<string> = new Set(['', 'null', '{}'])
