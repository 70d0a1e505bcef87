/**
 * Python with the third-party clients of requirements.txt, in a cached environment of its own that
 * git ignores. Where there is no Python or no registry to install from, the reason comes back
 * instead: those tests are then skipped.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

const SCRIPTS = fileURLToPath(new URL('../../../test/clients/python/', import.meta.url))
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/bellwire/', import.meta.url))
const INSTALL_LIMIT_MS = 120_000
const SCRIPT_LIMIT_MS = 60_000

export type Python = { readonly interpreter: string } | { readonly missing: string }

/** Installs once for each content of requirements.txt. */
export async function pythonWithClients(): Promise<Python> {
  const requirements = join(SCRIPTS, 'requirements.txt')
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
  const folder = join(CACHE, `python-${digest.slice(0, 12)}`)
  const interpreter = join(folder, 'bin', 'python')
  // Written last: a folder without it is what an install that was cut off left behind.
  const complete = join(folder, 'complete')
  if (existsSync(complete)) return { interpreter }
  await rm(folder, { recursive: true, force: true })
  await mkdir(CACHE, { recursive: true })
  try {
    await run('python3', ['-m', 'venv', folder], { timeout: INSTALL_LIMIT_MS })
    const install = ['-m', 'pip', 'install', '--disable-pip-version-check', '-q', '-r']
    await run(interpreter, [...install, requirements], { timeout: INSTALL_LIMIT_MS })
  } catch (error) {
    return { missing: lastLineOf(error) }
  }
  await writeFile(complete, '')
  return { interpreter }
}

/** Runs a script of ./python and gives the JSON that it prints. */
export async function runScript(
  interpreter: string,
  script: string,
  args: readonly string[],
): Promise<unknown> {
  const command = [join(SCRIPTS, script), ...args]
  const { stdout } = await run(interpreter, command, { timeout: SCRIPT_LIMIT_MS })
  return JSON.parse(stdout)
}

function lastLineOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.trim().split('\n').at(-1) ?? text
}
