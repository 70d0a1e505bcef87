/**
 * Which server gets which work, in which order. Rounds are interleaved: every round visits every server once, each
 * round in another order, so that a machine that gets slower or faster with time touches all of them alike.
 */
import { CLUSTER_SIZES, clusterScenarios } from '../scenarios/cluster.ts'
import { fanOutScenario } from '../scenarios/fan-out.ts'
import { idleMemoryScenario } from '../scenarios/idle-memory.ts'
import { publishScenario } from '../scenarios/publish.ts'
import { reconnectStormScenario } from '../scenarios/reconnect-storm.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { slowReaderScenario } from '../scenarios/slow-reader.ts'
import { startScenario } from '../scenarios/start.ts'
import {
  BARE,
  bufferVariants,
  clusterVariant,
  SHARD_COUNTS,
  shardVariant,
  threadVariant,
} from '../server/variant.ts'
import type { Variant } from '../server/variant.ts'

/** One server and everything that is done to it between its start and its end. */
export interface Visit {
  readonly variant: Variant
  readonly round: number
  readonly scenarios: readonly Scenario[]
}

export interface Entry {
  readonly variant: Variant
  readonly scenarios: readonly Scenario[]
}

const DEFAULTS: Variant = { ...shardVariant(256), name: 'defaults' }

const BATTERY = [
  startScenario,
  idleMemoryScenario([1000, 3000, 5000]),
  closed(64),
  open(1000),
  fanOutScenario(5000),
]
/** What does not depend on the shard count and is long: the defaults only, beside whoever is compared with them. */
const DEEP = [
  idleMemoryScenario([1000, 5000, 10_000, 19_000]),
  closed(64),
  closed(256),
  open(1000),
  fanOutScenario(10_000),
  reconnectStormScenario(5000),
  slowReaderScenario(3000),
]
const BARE_WORK = [
  idleMemoryScenario([1000, 5000, 10_000]),
  closed(64),
  closed(256),
  open(1000),
  fanOutScenario(5000),
  fanOutScenario(10_000),
]

export function entriesFor(verb: string, others: readonly Variant[]): Entry[] {
  const shards = SHARD_COUNTS.map(shardVariant)
  const each = (variants: readonly Variant[], scenarios: readonly Scenario[]): Entry[] =>
    variants.map((variant) => ({ variant, scenarios }))
  switch (verb) {
    case 'all':
      return [
        ...each(shards, BATTERY),
        ...each([DEFAULTS, ...others], DEEP),
        ...each([BARE], BARE_WORK),
        ...each(bufferVariants(), [
          idleMemoryScenario([1000, 3000, 5000]),
          slowReaderScenario(1500),
        ]),
        ...each([1, 2, 4].map(threadVariant), [startScenario]),
        ...each(CLUSTER_SIZES.map(clusterVariant), clusterScenarios(5)),
      ]
    case 'processes':
      return each(CLUSTER_SIZES.map(clusterVariant), clusterScenarios(8))
    case 'throughput':
      return each([...shards, BARE, ...others], [closed(64), closed(256), fanOutScenario(5000)])
    case 'latency':
      return each([...shards, BARE, ...others], [open(1000), open(4000)])
    default:
      return each([shardVariant(Number(verb)), ...others], BATTERY)
  }
}

export function interleave(entries: readonly Entry[], rounds: number): Visit[] {
  const visits: Visit[] = []
  for (let round = 0; round < rounds; round += 1) {
    const first = Math.floor((round * entries.length) / rounds)
    for (const entry of [...entries.slice(first), ...entries.slice(0, first)]) {
      visits.push({ ...entry, round })
    }
  }
  return visits
}

function closed(connections: number): Scenario {
  return publishScenario({ connections, ratePerSecond: 0, warmupSeconds: 2, seconds: 5 })
}

function open(ratePerSecond: number): Scenario {
  return publishScenario({ connections: 64, ratePerSecond, warmupSeconds: 2, seconds: 5 })
}
