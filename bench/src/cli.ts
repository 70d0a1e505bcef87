/**
 * The command line behind run-benchmark.sh: reads the verb and its options, runs the plan, writes the report.
 * Verbs: all, 64..1024, throughput, latency, processes, scale, return, smoke, compare, report, docs, stop.
 */
import { mkdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { entriesFor, interleave } from './plan/plan.ts'
import { say } from './plan/progress.ts'
import { Runner } from './plan/runner.ts'
import { compareResults } from './report/compare.ts'
import { fillDocuments } from './report/fill-documents.ts'
import { writeReport } from './report/write-report.ts'
import { readResult, resultName } from './results/result.ts'
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

await main(positionals[0] ?? 'all', positionals.slice(1))

async function main(verb: string, rest: readonly string[]): Promise<void> {
  if (verb === 'stop') {
    say(`Ended ${await stopRemembered()} processes of an earlier run`)
  } else if (verb === 'compare') {
    compare(rest[0], rest[1])
  } else if (verb === 'report') {
    const directory = rest[0] ?? ''
    say(`Report: ${writeReport(readResult(directory, RESULTS_DIR), directory)}`)
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
  const directory = options.out ?? `${RESULTS_DIR}/${dateName(new Date())}`
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
    await runVerb(runner, verb, rest, directory)
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

async function runVerb(
  runner: Runner,
  verb: string,
  rest: readonly string[],
  directory: string,
): Promise<void> {
  if (verb === 'scale') {
    await runScale(runner, rest[0] ?? '1k', Number(options.processes))
    return
  }
  if (verb === 'return') {
    const variants = returnVariants().filter(({ name }) => isWanted(name))
    await runReturn(runner, socketsOf(rest[0] ?? CLIENTS_THAT_RETURN), variants)
    return
  }
  const remotes = new Map(options.remote.map(named))
  const entries = entriesFor(verb, options.against.map(otherServer)).map((entry) => {
    const location = remotes.get(entry.variant.name)
    return location === undefined
      ? entry
      : { ...entry, variant: { ...entry.variant, kind: 'remote', location } as const }
  })
  const runnable = entries.filter(
    ({ variant }) => (remotes.size === 0 || variant.kind === 'remote') && isWanted(variant.name),
  )
  if (runnable.length === 0) {
    const names = [...new Set(entries.map(({ variant }) => variant.name))]
    throw new Error(`No such server. ${verb} has these: ${names.join(', ')}`)
  }
  await runner.visitAll(interleave(runnable, Number(options.rounds)), ROUNDS_LIMIT_SECONDS)
  if (verb !== 'all' || remotes.size > 0 || options.only.length > 0) return
  if (options.k6 !== undefined) {
    const scenarios = k6Scenarios(options.k6, directory)
    await runner.visitAll([
      { variant: { ...shardVariant(256), name: 'defaults' }, round: 0, scenarios },
    ])
  }
  await runReturn(runner, socketsOf(CLIENTS_THAT_RETURN), returnVariants())
  for (const scale of SCALES) await runScale(runner, scale)
}

function isWanted(variant: string): boolean {
  return options.only.length === 0 || options.only.includes(variant)
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
  return location.startsWith('http')
    ? { name, kind: 'remote', environment: {}, location }
    : { name, kind: 'gotify', environment, location }
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
