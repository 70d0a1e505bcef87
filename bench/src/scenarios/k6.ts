/**
 * Runs the k6 scripts against a server as short scenarios: an independent client's view of the same work. The full
 * lengths of the scripts are for `k6 run` by hand; here they are cut down by their environment variables.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync, readFileSync } from 'node:fs'
import { BENCH_DIR } from '../server/paths.ts'
import type { Metrics, Scenario, Stage } from './scenario.ts'

const SCRIPTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'websocket-simple': { VUS: '50', DURATION: '15s' },
  'websocket-test': { STAGES: '200:5s,500:5s,1000:5s,1000:5s' },
  'connection-scaling': { SCALE: '1k', HOLD: '5s' },
}

export function k6Scenarios(binary: string, directory: string): Scenario[] {
  return Object.entries(SCRIPTS).map(([script, environment]) => ({
    name: `k6-${script}`,
    run: async (stage) => ({ metrics: await runK6(binary, directory, script, environment, stage) }),
  }))
}

async function runK6(
  binary: string,
  directory: string,
  script: string,
  environment: Readonly<Record<string, string>>,
  { server: { target } }: Stage,
): Promise<Metrics> {
  const summary = `${directory}/k6-${script}.json`
  const log = openSync(`${directory}/logs/k6-${script}.log`, 'w')
  const variables = { ...environment, BASE_URL: `http://${target.host}:${target.port}` }
  const flags = Object.entries(variables).flatMap(([name, value]) => ['-e', `${name}=${value}`])
  const child = spawn(
    binary,
    [
      'run',
      '--quiet',
      '--no-usage-report',
      '--summary-export',
      summary,
      ...flags,
      `${BENCH_DIR}k6/${script}.js`,
    ],
    { stdio: ['ignore', log, log] },
  )
  const [code] = (await once(child, 'exit')) as [number | null]
  if (!existsSync(summary)) throw new Error(`k6 ended with ${code} and left no summary`)
  return { ...flatten(JSON.parse(readFileSync(summary, 'utf8')) as Summary), exitCode: code ?? -1 }
}

interface Summary {
  readonly metrics: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** Our own metrics of the scripts: percentiles of the trends, rates as shares. */
function flatten({ metrics }: Summary): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const name of ['connect_ms', 'delivery_ms', 'publish_ms']) {
    for (const [from, to] of [
      ['med', 'P50Ms'],
      ['p(95)', 'P95Ms'],
      ['p(99)', 'P99Ms'],
    ] as const) {
      const value = metrics[name]?.[from]
      if (value !== undefined) figures[`${name.replace('_ms', '')}${to}`] = value
    }
  }
  for (const name of ['connect_success', 'delivery_success']) {
    const value = metrics[name]?.['value']
    if (value !== undefined) figures[name.replace('_s', 'S')] = value
  }
  const received = metrics['messages_received']
  if (received !== undefined) figures['messagesPerSecond'] = received['rate'] ?? 0
  return figures
}
