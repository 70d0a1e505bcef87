/**
 * The result file of one run: plain JSON, one sample a scenario, server and round. Everything a report or a
 * comparison shows is computed from it, so old results can be reported again.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { Metrics } from '../scenarios/scenario.ts'
import type { MachineFacts } from './machine.ts'

export interface Sample {
  readonly scenario: string
  readonly variant: string
  readonly round: number
  readonly metrics: Metrics
  readonly points?: readonly Metrics[]
}

export interface RunResult {
  readonly schema: 1
  readonly verb: string
  readonly startedAt: string
  readonly seconds: number
  readonly commit: string
  readonly machine: MachineFacts
  readonly samples: readonly Sample[]
  /** What went wrong and was left out, one line each. */
  readonly failures: readonly string[]
}

/**
 * The result.json of `directory`: a result folder, its result.json, or a name inside bench/results.
 * @throws {Error} where there is none
 */
export function findResult(directory: string, resultsDir: string): string {
  const candidates = [
    directory,
    `${directory}/result.json`,
    `${resultsDir}/${directory}/result.json`,
  ]
  const found = candidates.find((path) => path.endsWith('.json') && existsSync(path))
  if (found === undefined) {
    throw new Error(`No result.json in ${directory} or ${resultsDir}/${directory}`)
  }
  return found
}

/** `directory` as with `findResult`. */
export function readResult(directory: string, resultsDir: string): RunResult {
  return JSON.parse(readFileSync(findResult(directory, resultsDir), 'utf8')) as RunResult
}

/** Creates `path`, or `path`-2 and so on where a result has that name, and returns the folder that is new. */
export function createResultFolder(path: string): string {
  mkdirSync(dirname(path), { recursive: true })
  for (let count = 1; ; count += 1) {
    const folder = count === 1 ? path : `${path}-${count}`
    try {
      mkdirSync(folder)
      return folder
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
  }
}

export function writeResult(directory: string, result: RunResult): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(`${directory}/result.json`, `${JSON.stringify(result, roundNumbers, 1)}\n`)
}

export function resultName(directory: string): string {
  const path = resolve(directory)
  return basename(path) === 'result.json' ? basename(resolve(path, '..')) : basename(path)
}

/** Six significant digits: more would be noise, and files stay small. */
function roundNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value)
    ? Number(value.toPrecision(6))
    : value
}

/** The values of one metric over the rounds, in round order. */
export function valuesOf(
  result: RunResult,
  scenario: string,
  variant: string,
  metric: string,
): number[] {
  return result.samples
    .filter((sample) => sample.scenario === scenario && sample.variant === variant)
    .map((sample) => sample.metrics[metric])
    .filter((value) => value !== undefined)
}

export function variantsOf(result: RunResult, scenario: string): string[] {
  const names = result.samples.filter((s) => s.scenario === scenario).map((s) => s.variant)
  return [...new Set(names)]
}

export function scenariosOf(result: RunResult, prefix = ''): string[] {
  const names = result.samples.map((s) => s.scenario).filter((name) => name.startsWith(prefix))
  return [...new Set(names)]
}
