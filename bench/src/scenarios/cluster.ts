/**
 * The same closed-loop load on clusters of 1, 2 and 4 processes: what sharing a port and a database costs on few cores,
 * and what a process adds in memory. Under names of its own, because these servers are compared with each other only.
 */
import { publishScenario } from './publish.ts'
import type { Scenario } from './scenario.ts'
import { startScenario } from './start.ts'

export const CLUSTER_SIZES = [1, 2, 4] as const

export function clusterScenarios(seconds: number): Scenario[] {
  const closed = [64, 256].map((connections) =>
    publishScenario({ connections, ratePerSecond: 0, warmupSeconds: 2, seconds }),
  )
  return [startScenario, ...closed].map((scenario) => ({
    name: `cluster-${scenario.name.replace('publish-', '')}`,
    run: scenario.run,
  }))
}
