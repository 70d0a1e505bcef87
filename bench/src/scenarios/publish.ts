/**
 * Publishing: 1,000 users with one socket each, messages of 200 bytes to users drawn at random, by closed-loop
 * publishers (how much can it do?) or at a fixed rate (how fast is it when it has time?).
 */
import { mergeEncoded, percentileMetrics } from '../stats/latency.ts'
import { nowUs, sleep } from '../wire/clock.ts'
import { clusterMemory } from './cluster-memory.ts'
import type { Outcome, Scenario, Stage } from './scenario.ts'

const USERS = 1000
const MESSAGE_BYTES = 200
const DELIVERY_PATIENCE_MS = 3000

export interface PublishLoad {
  readonly connections: number
  /** 0: closed loop. */
  readonly ratePerSecond: number
  readonly warmupSeconds: number
  readonly seconds: number
}

export function publishScenario(load: PublishLoad): Scenario {
  const name =
    load.ratePerSecond === 0
      ? `publish-closed-${load.connections}`
      : `publish-open-${load.ratePerSecond}`
  return { name, run: (stage) => runPublish(stage, load) }
}

async function runPublish(stage: Stage, load: PublishLoad): Promise<Outcome> {
  const { server, team, tokens } = stage
  const opened = await team.open(Math.min(USERS, tokens.clients.length), tokens.clients)
  const startUs = await team.startSoon()
  const recordFromUs = startUs + load.warmupSeconds * 1e6
  const endUs = recordFromUs + load.seconds * 1e6
  await team.resetDeliveries(recordFromUs)
  const published = team.publish({
    tokens: tokens.applications,
    connections: load.connections,
    messageBytes: MESSAGE_BYTES,
    ratePerSecond: load.ratePerSecond,
    startUs,
    recordFromUs,
    endUs,
    messageLimit: 0,
  })
  await sleep((recordFromUs - nowUs()) / 1000)
  const before = server.use()
  await sleep((endUs - nowUs()) / 1000)
  const after = server.use()
  const result = await published
  const deliveries = await team.awaitDeliveries(result.accepted, DELIVERY_PATIENCE_MS)
  await team.close()
  const latency = mergeEncoded([result.latency])
  return {
    metrics: {
      publishesPerSecond: result.recorded / result.recordedSeconds,
      ...percentileMetrics('publish', latency),
      ...percentileMetrics('delivery', deliveries.latency),
      failed: result.failed,
      missing: Math.max(0, result.accepted - deliveries.frames),
      outOfOrder: deliveries.outOfOrder,
      socketsRefused: opened.refused,
      generatorLagP99Ms: mergeEncoded([result.lag]).getValueAtPercentile(99) / 1000,
      ...(before === null || after === null
        ? {}
        : {
            serverCpuUsPerPublish:
              ((after.cpuSeconds - before.cpuSeconds) * 1e6) / Math.max(1, result.recorded),
            databaseCpuUsPerPublish:
              ((after.databaseCpuSeconds - before.databaseCpuSeconds) * 1e6) /
              Math.max(1, result.recorded),
            rssMb: after.rssBytes / 1e6,
            ...clusterMemory(after),
          }),
    },
  }
}
