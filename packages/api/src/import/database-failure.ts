/**
 * What went wrong in a database during an import, in one line. Pure. Errors of the program itself
 * stay as they are: their stack is for us.
 */
import { isUnavailable } from '@bellwire/common/db'
import pg from 'pg'
import { ImportError } from './import-error.ts'

const UNIQUE_VIOLATION = '23505'

/** @param lost what the connection broke of, which the statement that failed by it may not tell */
export function sourceFailure(error: unknown, lost: Error | null): ImportError {
  return new ImportError(`Cannot read the Gotify database: ${inOneLine(lost ?? error)}`, {
    cause: error,
  })
}

/** Returns the error itself where it is none of the database that takes the rows in. */
export function targetFailure(error: unknown, lost: Error | null): unknown {
  const isDatabaseError = error instanceof pg.DatabaseError
  if (!isDatabaseError && !isUnavailable(error)) return error
  if (lost !== null || !isDatabaseError) {
    const text = `The database of Bellwire was lost: ${inOneLine(lost ?? error)}`
    return new ImportError(text, { cause: error })
  }
  const text =
    error.code === UNIQUE_VIOLATION
      ? `Two rows of "${error.table}" cannot stand side by side here, where what is missing counts as empty: `
      : 'The database of Bellwire refuses it: '
  return new ImportError(text + inOneLine(error), { cause: error })
}

/** The message alone: the details may hold a token. */
function inOneLine(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return (first instanceof Error ? first.message : String(first)).replaceAll(/\s+/g, ' ')
}
