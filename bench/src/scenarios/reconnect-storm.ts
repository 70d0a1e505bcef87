/**
 * A reconnect storm: all sockets break at one moment and come back at once, with their last ids, while messages go
 * on. Shows how soon all are back, what publishers feel, and whether a message fell into the gap.
 */
import { mergeEncoded, percentileMetrics } from '../stats/latency.ts'
import { publishOne } from '../server/fill.ts'
import { sleep } from '../wire/clock.ts'
import type { Outcome, Scenario, Stage } from './scenario.ts'
import { steadyOrder } from './steady-order.ts'

const RATE_PER_SECOND = 200
const MESSAGE_BYTES = 200
const BEFORE_STORM_MS = 1500
const PUBLISH_US = 10e6
const PATIENCE_MS = 4000

/** `sockets` should be a multiple of the users, so that every message has the same number of readers. */
export function reconnectStormScenario(sockets: number): Scenario {
  return { name: `reconnect-storm-${sockets}`, run: (stage) => runStorm(stage, sockets) }
}

async function runStorm({ server, team, tokens }: Stage, sockets: number): Promise<Outcome> {
  const floorId = await publishOne(server.target, tokens.applications.at(-1) ?? '')
  const opened = await team.open(sockets, tokens.clients)
  const startUs = await team.startSoon()
  await team.resetDeliveries(startUs)
  const publishing = team.publish(
    steadyOrder({
      tokens: tokens.applications,
      messageBytes: MESSAGE_BYTES,
      ratePerSecond: RATE_PER_SECOND,
      startUs,
      endUs: startUs + PUBLISH_US,
    }),
  )
  await sleep(BEFORE_STORM_MS)
  const storm = await team.reconnect(floorId)
  const published = await publishing
  const readers = opened.opened / tokens.clients.length
  const deliveries = await team.awaitDeliveries(published.accepted * readers, PATIENCE_MS)
  await team.close()
  return {
    metrics: {
      allBackMs: storm.seconds * 1000,
      reconnectsPerSecond: storm.opened / storm.seconds,
      ...percentileMetrics('handshake', storm.handshake),
      refusedOnce: storm.refused,
      socketsBack: deliveries.open,
      ...percentileMetrics('publish', mergeEncoded([published.latency])),
      ...percentileMetrics('delivery', deliveries.latency),
      failed: published.failed,
      missing: published.accepted * readers - deliveries.frames,
      outOfOrder: deliveries.outOfOrder,
    },
  }
}
