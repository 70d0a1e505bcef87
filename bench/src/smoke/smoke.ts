/**
 * The regression gate: a short run of the server and of the bare server beside it, held against a stored baseline.
 * Throughput is judged as a share of the bare server in the same run, which means the same on a slow machine.
 * It reports every ratio and fails only on collapse, because short runs on shared machines are noisy.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { interleave } from '../plan/plan.ts'
import { say } from '../plan/progress.ts'
import { Runner } from '../plan/runner.ts'
import { valuesOf, type RunResult } from '../results/result.ts'
import { fanOutScenario } from '../scenarios/fan-out.ts'
import { idleMemoryScenario } from '../scenarios/idle-memory.ts'
import { publishScenario } from '../scenarios/publish.ts'
import { BENCH_DIR, WORK_DIR } from '../server/paths.ts'
import { forgetProcesses } from '../server/running-record.ts'
import { BARE, shardVariant } from '../server/variant.ts'
import { judge, type Baseline } from './judge.ts'

const BASELINE_FILE = `${BENCH_DIR}baseline.json`
const USERS = 300
const ROUNDS = 2
const closed = publishScenario({ connections: 64, ratePerSecond: 0, warmupSeconds: 1, seconds: 3 })
const fanOut = fanOutScenario(5000)
/** Enough sockets that their price stands out of what the first ones warm up. */
const memory = idleMemoryScenario([1000, 5500, 10_000])

/** Resolves with the exit code: 0, or 1 on collapse. */
export async function runSmoke(updateBaseline: boolean): Promise<number> {
  const directory = `${WORK_DIR}/smoke`
  mkdirSync(`${directory}/logs`, { recursive: true })
  const runner = new Runner('smoke', directory, USERS)
  const onSignal = (): void => void runner.interrupt()
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    const entries = [
      { variant: shardVariant(256), scenarios: [memory, closed, fanOut] },
      { variant: BARE, scenarios: [closed, fanOut] },
    ]
    await runner.visitAll(interleave(entries, ROUNDS))
  } finally {
    runner.templates.removeAll()
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
    forgetProcesses()
  }
  const result = runner.save()
  if (runner.interrupted || result.failures.length > 0) return 1
  return compareWithBaseline(figures(result), updateBaseline)
}

function compareWithBaseline(now: Baseline, updateBaseline: boolean): number {
  if (updateBaseline || !existsSync(BASELINE_FILE)) {
    writeFileSync(BASELINE_FILE, `${JSON.stringify(now, rounded, 2)}\n`)
    say(`Baseline written: ${BASELINE_FILE}`)
    return 0
  }
  const baseline = JSON.parse(readFileSync(BASELINE_FILE, 'utf8')) as Baseline
  const { lines, collapsed } = judge(baseline, now)
  for (const line of lines) say(line)
  return collapsed ? 1 : 0
}

function figures(result: RunResult): Baseline {
  // What disturbs a round makes it slower and larger, never faster or smaller: the best round counts.
  const value = (scenario: string, variant: string, metric: string): number =>
    Math.max(...valuesOf(result, scenario, variant, metric))
  const share = (scenario: string, metric: string): number =>
    value(scenario, 'shards-256', metric) / value(scenario, BARE.name, metric)
  return {
    publishShareOfBare: share(closed.name, 'publishesPerSecond'),
    fanOutShareOfBare: share(fanOut.name, 'framesPerSecond'),
    growthBytesPerSocket: Math.min(
      ...valuesOf(result, memory.name, 'shards-256', 'growthBytesPerSocket'),
    ),
    damage: [closed.name, fanOut.name]
      .flatMap((name) =>
        ['failed', 'missing', 'outOfOrder'].flatMap((m) => valuesOf(result, name, 'shards-256', m)),
      )
      .reduce((sum, count) => sum + count, 0),
  }
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(3)) : value
}
