/**
 * Gathers the raw text of every setting: process environment, the one env file that counts, and the
 * files named by `<NAME>_FILE`. Runs once at start; read-settings.ts parses what it returns.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnvFile } from './env-file.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface EnvSources {
  /** Text by setting name, with `<NAME>_FILE` already replaced by the file's content. */
  readonly values: ReadonlyMap<string, string>
  /** Every variable name seen, `<NAME>_FILE` included. */
  readonly names: readonly string[]
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Collects the settings called `settingNames` in Gotify's order: the process environment wins over
 * the env file, `<NAME>` over `<NAME>_FILE`. Paths are relative to `cwd`.
 */
export function gatherSources(
  settingNames: readonly string[],
  { env, cwd, home }: { readonly env: Environment; readonly cwd: string; readonly home: string },
): EnvSources {
  const problems: string[] = []
  const warnings: string[] = []
  const values = new Map<string, string>()
  const merged: Environment = { ...readEnvFile(env, cwd, home, problems), ...defined(env) }

  for (const name of settingNames) {
    const fileVariable = `${name}_FILE`
    const direct = merged[name]
    const path = merged[fileVariable]
    if (direct !== undefined) {
      values.set(name, direct)
      if (path !== undefined) {
        warnings.push(`${fileVariable} has no effect, because ${name} is set too`)
      }
    } else if (path !== undefined) {
      try {
        values.set(name, readFileSync(resolve(cwd, path), 'utf8').replace(/[\r\n]+$/, ''))
      } catch (error) {
        problems.push(
          `${fileVariable}: must be the path of a readable file: ${reasonOf(error)}: value was ${JSON.stringify(path)}`,
        )
      }
    }
  }
  return { values, names: Object.keys(merged), problems, warnings }
}

/** The variables of `$GOTIFY_CONFIG_FILE`, or else of the first file of Gotify's search order that exists. */
function readEnvFile(env: Environment, cwd: string, home: string, problems: string[]): Environment {
  const named = env['GOTIFY_CONFIG_FILE'] ?? ''
  const configHome = env['XDG_CONFIG_HOME'] || (home === '' ? '' : join(home, '.config'))
  const candidates =
    named === ''
      ? [
          'gotify-server.env',
          ...(configHome === '' ? [] : [join(configHome, 'gotify', 'gotify-server.env')]),
          '/etc/gotify/server.env',
        ]
      : [named]

  for (const candidate of candidates) {
    const path = resolve(cwd, candidate)
    try {
      return Object.fromEntries(parseEnvFile(readFileSync(path, 'utf8'), env))
    } catch (error) {
      if (named === '' && isMissing(error)) continue
      const source = named === '' ? path : `GOTIFY_CONFIG_FILE (${named})`
      problems.push(`${source}: must be a readable env file: ${reasonOf(error)}`)
      return {}
    }
  }
  return {}
}

function defined(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined))
}

/** A path through a file, such as /etc/gotify being one, counts as missing too. */
function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  switch (code) {
    case 'ENOENT':
      return 'there is no such file'
    case 'EACCES':
      return 'reading it is not permitted'
    case 'EISDIR':
      return 'it is a folder'
    default:
      return error instanceof Error ? error.message : String(error)
  }
}
