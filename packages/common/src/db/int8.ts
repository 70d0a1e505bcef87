/**
 * How results of PostgreSQL become JavaScript values: as in `pg`, except that `bigint` becomes a
 * number. Set for each connection, never globally, so that other users of `pg` in the process keep
 * its defaults.
 */
import pg from 'pg'

function parseInt8(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`Cannot read bigint as a number: "${text}" is beyond 2^53`)
  }
  return value
}

/** For the `types` option of a `pg` client or pool. */
export const resultTypes: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    if (oid === pg.types.builtins.INT8 && format !== 'binary') return parseInt8
    return pg.types.getTypeParser(oid, format) as unknown
  },
}
