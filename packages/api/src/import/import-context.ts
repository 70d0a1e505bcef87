/** What the stages of an import share. All writes of a run are one transaction. */
import type { Database } from '@bellwire/common/db'
import type { Transaction } from 'kysely'
import type { GotifySource } from './gotify-source.ts'
import type { ImportLog } from './import-log.ts'
import type { ImportReport } from './import-report.ts'

export interface ImportContext {
  readonly source: GotifySource
  readonly db: Transaction<Database>
  readonly report: ImportReport
  /** What earlier runs brought; each stage leaves out what was deleted since, and notes the rest. */
  readonly log: ImportLog
  /** Milliseconds since 1970, for rows of Gotify 2, which has no time of creation. */
  readonly now: number
}

/** Rows of one statement: far below what PostgreSQL takes as parameters, 65,535. */
const INSERT_ROWS = 500

export function* chunksOf<Row>(rows: readonly Row[]): Generator<Row[]> {
  for (let start = 0; start < rows.length; start += INSERT_ROWS) {
    yield rows.slice(start, start + INSERT_ROWS)
  }
}
