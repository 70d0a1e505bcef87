/**
 * Turns environment variables and files into the frozen Config, or stops the start with every wrong
 * setting named. Runs once, on the main thread, before anything else; the workers get a copy.
 */
import { homedir, availableParallelism } from 'node:os'
import { buildConfig } from './build-config.ts'
import { ConfigError } from './config-error.ts'
import { clusterProblems } from './cluster-config.ts'
import { databaseConfig } from './database-config.ts'
import { gatherSources } from './env-sources.ts'
import { findMissing } from './needed-together.ts'
import { refuseWhatIsNotCarriedOut } from './not-carried-out.ts'
import { readSettings } from './read-settings.ts'
import { SETTING_NAMES } from './settings/index.ts'
import type { Config } from './types.ts'
import { warnOfUnknownNames } from './unknown-names.ts'

export interface ConfigSource {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths and gotify-server.env start here. */
  readonly cwd: string
  /** '' when there is none. */
  readonly home: string
  /** Cores this process may use. */
  readonly cpuCount: number
}

export interface LoadedConfig {
  readonly config: Config
  /** One line each, for the log: nothing that stops the start. */
  readonly warnings: readonly string[]
}

/**
 * Reads all settings. Never shows a secret, neither in errors nor in warnings.
 *
 * @throws {ConfigError} with one line for each wrong setting.
 */
export function loadConfig({ env, cwd, home, cpuCount }: ConfigSource): LoadedConfig {
  const sources = gatherSources(SETTING_NAMES, { env, cwd, home })
  const { values, problems: wrong } = readSettings(sources.values)
  if (values === undefined) throw new ConfigError([...sources.problems, ...wrong])

  const problems = [
    ...sources.problems,
    ...refuseWhatIsNotCarriedOut(sources.values, values),
    ...findMissing(values),
  ]
  problems.push(...clusterProblems(values))
  const database = databaseConfig(values, problems)
  if (problems.length > 0) throw new ConfigError(problems)

  const isSet = (name: string): boolean => sources.values.has(name)
  return {
    config: freeze(buildConfig(values, { cwd, cpuCount, isSet, database })),
    warnings: [...sources.warnings, ...warnOfUnknownNames(sources.names)],
  }
}

/** The settings of this process. @throws {ConfigError} as loadConfig. */
export function loadConfigFromProcess(): LoadedConfig {
  return loadConfig({
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    cpuCount: availableParallelism(),
  })
}

/** Freezes objects and lists all the way down; a frozen RegExp could not be used. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return value
  for (const part of Object.values(value)) freeze(part)
  return Object.freeze(value)
}
