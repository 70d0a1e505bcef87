/**
 * Remembers what imports brought: a row that an earlier one brought and that is not here any more
 * was deleted here, and stays so. Every stage of an import asks and tells it; written with the rest.
 */
import type { Database, ImportedTable } from '@bellwire/common/db'
import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import { type IdRun, IdRuns } from './id-runs.ts'
import { chunksOf, type ImportContext } from './import-context.ts'

type Kind = ImportedTable['kind']

export class ImportLog {
  readonly #before: ReadonlyMap<string, Buffer>
  readonly #messagesBefore: IdRuns
  readonly #rows: ImportedTable[] = []
  /** In the order they were noted. */
  readonly #messages: { first_id: number; last_id: number }[] = []

  constructor(rows: readonly ImportedTable[], messages: readonly IdRun[]) {
    this.#before = new Map(rows.map(({ kind, id, identity }) => [`${kind} ${id}`, identity]))
    this.#messagesBefore = new IdRuns(messages)
  }

  static async read(db: Kysely<Database>): Promise<ImportLog> {
    const rows = await db.selectFrom('imported').selectAll().execute()
    return new ImportLog(rows, await db.selectFrom('imported_messages').selectAll().execute())
  }

  /** Whether an earlier import brought this very row. */
  has(kind: Kind, id: number, identity: string): boolean {
    return this.#before.get(`${kind} ${id}`)?.equals(digest(identity)) ?? false
  }

  note(kind: Kind, id: number, identity: string): void {
    this.#rows.push({ kind, id, identity: digest(identity) })
  }

  /** @param id of a message of an application that is here, so of the same Gotify as before */
  hasMessage(id: number): boolean {
    return this.#messagesBefore.has(id)
  }

  noteMessage(id: number): void {
    const last = this.#messages.at(-1)
    if (last !== undefined && id === last.last_id + 1) last.last_id = id
    else this.#messages.push({ first_id: id, last_id: id })
  }

  async write(db: Kysely<Database>): Promise<void> {
    for (const chunk of chunksOf(this.#rows)) {
      await db
        .insertInto('imported')
        .values(chunk)
        .onConflict((conflict) =>
          conflict
            .columns(['kind', 'id'])
            .doUpdateSet((row) => ({ identity: row.ref('excluded.identity') })),
        )
        .execute()
    }
    const { runs } = new IdRuns([...this.#messagesBefore.runs, ...this.#messages])
    await db.deleteFrom('imported_messages').execute()
    for (const chunk of chunksOf(runs)) {
      await db.insertInto('imported_messages').values(chunk).execute()
    }
  }
}

/** Returns the rows that are here or that no earlier import brought, and notes them. */
export function leaveOutDeleted<Row extends { readonly id: number }>(
  { log, report }: ImportContext,
  kind: Kind,
  rows: readonly Row[],
  here: readonly { readonly id: number }[],
  identityOf: (row: Row) => string,
): Row[] {
  const ids = new Set(here.map(({ id }) => id))
  const kept = rows.filter((row) => ids.has(row.id) || !log.has(kind, row.id, identityOf(row)))
  for (const row of kept) log.note(kind, row.id, identityOf(row))
  report.leftOut(`${kind} that were deleted here since`, rows.length - kept.length)
  return kept
}

/** The log needs no second copy of a token. */
function digest(identity: string): Buffer {
  return createHash('sha256').update(identity).digest()
}
