/**
 * The command line behind run-benchmark.sh: reads the verb and its options, runs the plan, writes the report.
 * Verbs: all, 64..1024, throughput, latency, processes, scale, return, smoke, compare, report, docs, stop.
 */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { entriesFor, interleave } from './plan/plan.ts'
import { say } from './plan/progress.ts'
import { Runner } from './plan/runner.ts'
import { compareResults } from './report/compare.ts'
import { fillDocuments } from './report/fill-documents.ts'
import { writeReport } from './report/write-report.ts'
import { createResultFolder, findResult, readResult, resultName } from './results/result.ts'
import { k6Scenarios } from './scenarios/k6.ts'
import { returnVariants, runReturn } from './scenarios/return.ts'
import { runScale, SCALES, socketsOf } from './scenarios/scale.ts'
import { BENCH_DIR, RESULTS_DIR } from './server/paths.ts'
import { forgetProcesses, stopRemembered } from './server/running-record.ts'
import { SHARD_COUNTS, shardVariant, type Variant } from './server/variant.ts'
import { runSmoke } from './smoke/smoke.ts'

const USERS = 1000
/** `all` ends within 30 minutes: its rounds within 19, then a minute of k6, three of returns, seven of 100,000 users. */
const ROUNDS_LIMIT_SECONDS = 19 * 60
/** Their figures come from a result, by the verb `docs`. */
const DOCUMENTS = ['HARDWARE_RECOMMENDATIONS.md', 'MEMORY_ANALYSIS.md'].map(
  (name) => `${BENCH_DIR}${name}`,
)
const MEASURING_VERBS = [
  ...['all', 'throughput', 'latency', 'processes', 'scale', 'return'],
  ...SHARD_COUNTS.map(String),
]
const CLIENTS_THAT_RETURN = '10k'

type Work = (runner: Runner, directory: string) => Promise<void>

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** NAME=BINARY of a Gotify server, or NAME=URL of any server that runs; may be given again. */
    against: { type: 'string', multiple: true, default: [] },
    /** NAME=URL of an instance that runs already, measured in place of the local ones of that name. */
    remote: { type: 'string', multiple: true, default: [] },
    /** KEY=VALUE for the settings of every --against binary. */
    'against-env': { type: 'string', multiple: true, default: [] },
    /** Only servers of these names. */
    only: { type: 'string', multiple: true, default: [] },
    /** Of `scale`: server processes; 0: as many as the file limit asks for. */
    processes: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '3' },
    out: { type: 'string' },
    k6: { type: 'string' },
    'update-baseline': { type: 'boolean', default: false },
  },
})

try {
  await main(positionals[0] ?? 'all', positionals.slice(1))
} catch (error) {
  // Whatever gets here is about the words or files that were given: its message says all.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

async function main(verb: string, rest: readonly string[]): Promise<void> {
  if (verb === 'stop') {
    say(`Ended ${await stopRemembered(rest[0])} processes of an earlier run`)
  } else if (verb === 'compare') {
    compare(rest[0], rest[1])
  } else if (verb === 'report') {
    const path = findResult(rest[0] ?? '', RESULTS_DIR)
    say(`Report: ${writeReport(readResult(path, RESULTS_DIR), dirname(path))}`)
  } else if (verb === 'docs') {
    fillDocuments(readResult(rest[0] ?? '', RESULTS_DIR), DOCUMENTS)
  } else if (verb === 'smoke') {
    process.exitCode = await runSmoke(options['update-baseline'])
  } else if (MEASURING_VERBS.includes(verb)) {
    await measure(verb, rest)
  } else {
    throw new Error(`Unknown verb "${verb}"`)
  }
}

async function measure(verb: string, rest: readonly string[]): Promise<void> {
  const work = workOf(verb, rest)
  const directory = options.out ?? createResultFolder(`${RESULTS_DIR}/${dateName(new Date())}`)
  mkdirSync(`${directory}/logs`, { recursive: true })
  const runner = new Runner([verb, ...rest].join(' '), directory, USERS)
  const onSignal = (): void => {
    if (runner.interrupted) return
    say('Stopping: ending the load, then the servers')
    void runner.interrupt()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    await work(runner, directory)
  } finally {
    runner.templates.removeAll()
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
    forgetProcesses()
  }
  const result = runner.save()
  say(`Results: ${directory}/result.json`)
  say(`Report:  ${writeReport(result, directory)}`)
  if (runner.interrupted || result.failures.length > 0) process.exitCode = 1
}

/** @throws {Error} on a wrong word or option, before a folder is made or a server started */
function workOf(verb: string, rest: readonly string[]): Work {
  if (verb === 'scale') {
    const scale = rest[0] ?? '1k'
    socketsOf(scale)
    return (runner) => runScale(runner, scale, Number(options.processes))
  }
  if (verb === 'return') {
    const variants = onlyWanted(verb, returnVariants())
    const clients = socketsOf(rest[0] ?? CLIENTS_THAT_RETURN)
    return (runner) => runReturn(runner, clients, variants)
  }
  const remotes = new Map(options.remote.map(named))
  const entries = entriesFor(verb, options.against.map(otherServer)).map((entry) => {
    const location = remotes.get(entry.variant.name)
    return location === undefined
      ? entry
      : { ...entry, variant: { ...entry.variant, kind: 'remote', location } as const }
  })
  const wanted = onlyWanted(
    verb,
    entries.map(({ variant }) => variant),
  )
  const runnable = entries.filter(
    ({ variant }) => (remotes.size === 0 || variant.kind === 'remote') && wanted.includes(variant),
  )
  const visits = interleave(runnable, Number(options.rounds))
  const isWhole = verb === 'all' && remotes.size === 0 && options.only.length === 0
  return async (runner, directory) => {
    await runner.visitAll(visits, ROUNDS_LIMIT_SECONDS)
    if (isWhole) await runRest(runner, directory)
  }
}

/** What `all` does after its rounds. */
async function runRest(runner: Runner, directory: string): Promise<void> {
  if (options.k6 !== undefined) {
    const scenarios = k6Scenarios(options.k6, directory)
    await runner.visitAll([
      { variant: { ...shardVariant(256), name: 'defaults' }, round: 0, scenarios },
    ])
  }
  await runReturn(runner, socketsOf(CLIENTS_THAT_RETURN), returnVariants())
  for (const scale of SCALES) await runScale(runner, scale)
}

/** @throws {Error} when a name of --only is none of theirs */
function onlyWanted(verb: string, variants: readonly Variant[]): Variant[] {
  const names = new Set(variants.map(({ name }) => name))
  const unknown = options.only.find((name) => !names.has(name))
  if (unknown !== undefined) {
    throw new Error(`No server "${unknown}". ${verb} has these: ${[...names].join(', ')}`)
  }
  return variants.filter(({ name }) => options.only.length === 0 || options.only.includes(name))
}

function compare(a: string | undefined, b: string | undefined): void {
  if (a === undefined || b === undefined) throw new Error('compare needs two results: compare A B')
  const first = { name: resultName(a), result: readResult(a, RESULTS_DIR) }
  const second = { name: resultName(b), result: readResult(b, RESULTS_DIR) }
  say(compareResults(first, second))
}

function otherServer(text: string): Variant {
  const [name, location] = named(text)
  const environment = Object.fromEntries(options['against-env'].map(named))
  return /^https?:\/\//.test(location)
    ? { name, kind: 'remote', environment: {}, location }
    : { name, kind: 'gotify', environment, location: programAt(location) }
}

/** Absolute, because the server starts in a folder of its own. @throws {Error} where no program lies */
function programAt(location: string): string {
  const path = resolve(location)
  try {
    accessSync(path, constants.X_OK)
  } catch {
    throw new Error(`No program to run at ${path}`)
  }
  if (!statSync(path).isFile()) throw new Error(`No program to run at ${path}`)
  return path
}

function named(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new Error(`Expected NAME=VALUE, got "${text}"`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** 2026-01-31-0930, local time. */
function dateName(date: Date): string {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString()
  return `${local.slice(0, 10)}-${local.slice(11, 16).replace(':', '')}`
}
