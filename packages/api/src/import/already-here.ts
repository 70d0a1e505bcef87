/**
 * Tells rows that an earlier run brought from new ones. Ids are kept, so a row whose id is somebody
 * else's here cannot come in: the whole import is refused. Pure.
 */
import { ImportError } from './import-error.ts'

export interface OwnedRow {
  readonly id: number
  readonly user_id: number
  readonly token: string
  readonly name: string
}

const EMPTY_BELLWIRE =
  'Import into a Bellwire that has no users of its own yet (another GOTIFY_DATADIR or database)'

/**
 * The rows that are not here yet. The same row may since have another name or another token, not
 * both.
 * @param kind one of the rows, as in "application"
 * @throws {ImportError}
 */
export function notYetHere<Row extends OwnedRow>(
  kind: string,
  rows: readonly Row[],
  here: readonly OwnedRow[],
): Row[] {
  const byId = new Map(here.map((row) => [row.id, row]))
  const byToken = new Map(here.map((row) => [row.token, row]))
  return rows.filter((row) => {
    const known = byId.get(row.id)
    if (known === undefined) {
      if (byToken.has(row.token)) throw conflict(kind, row, byToken.get(row.token))
      return true
    }
    const same = known.token === row.token || known.name === row.name
    if (known.user_id !== row.user_id || !same) throw conflict(kind, row, known)
    return false
  })
}

export function conflict(
  kind: string,
  row: { readonly id: number; readonly name: string },
  known: { readonly id: number; readonly name: string } | undefined,
): ImportError {
  return new ImportError(
    `The ${kind} ${row.id} "${row.name}" cannot come in beside the ${kind} ${known?.id} "${known?.name}" of this Bellwire. ${EMPTY_BELLWIRE}`,
  )
}
