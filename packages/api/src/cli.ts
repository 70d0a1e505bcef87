/**
 * The commands of `bellwire` besides serving: import, version, help. Main thread; called by main.ts,
 * which ends the process with the status that comes back.
 */
import { createLogger } from '@bellwire/common'
import { ConfigError, loadConfigFromProcess } from '@bellwire/common/config'
import { DatabaseStartError } from '@bellwire/common/db'
import { parseArgs } from 'node:util'
import { ImportError } from './import/import-error.ts'
import { runImport } from './import/run-import.ts'
import { VERSION } from './version.ts'

const USAGE = `Usage: bellwire [serve]                       start the server
       bellwire import SOURCE [--images DIR]  take over a Gotify 2 or 3: its gotify.db, or
                                              "postgres://user:password@host/database"
       bellwire version
Settings are environment variables; see docs/configuration.md.
`

const FAILED = 1
const WRONG_USE = 2

/** Runs the command and returns the exit status. */
export async function runCommand(command: string, args: readonly string[]): Promise<number> {
  switch (command) {
    case 'import':
      return importCommand(args)
    case 'version':
    case '--version':
      process.stdout.write(`${VERSION.commit}, Gotify API ${VERSION.version}\n`)
      return 0
    case 'help':
    case '--help':
      process.stdout.write(USAGE)
      return 0
    default:
      return wrongUse(`There is no command "${command}"`)
  }
}

async function importCommand(args: readonly string[]): Promise<number> {
  const given = readImportArguments(args)
  if (typeof given === 'string') return wrongUse(given)
  try {
    const { config } = loadConfigFromProcess()
    const log = createLogger({ level: 'warn', name: 'import', destination: process.stderr })
    const report = await runImport({ ...given, config, log })
    process.stdout.write(report.toString())
    return 0
  } catch (error) {
    const expected =
      error instanceof ImportError ||
      error instanceof DatabaseStartError ||
      error instanceof ConfigError
    if (!expected) throw error
    process.stderr.write(`Bellwire cannot import, nothing was changed: ${error.message}\n`)
    return FAILED
  }
}

/** What was asked for, or what is wrong with it. */
function readImportArguments(
  args: readonly string[],
): { readonly from: string; readonly imagesDir: string | null } | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { images: { type: 'string' } },
      allowPositionals: true,
    })
    const [from, ...more] = positionals
    if (from === undefined || more.length > 0) return 'Name one database to import'
    return { from, imagesDir: values.images ?? null }
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
}

function wrongUse(what: string): number {
  process.stderr.write(`${what}\n\n${USAGE}`)
  return WRONG_USE
}
