/**
 * A subscriber that stops reading while messages of 8 KB go to its user, and small ones to another user. Shows whether
 * anybody else waits for it, what it costs the server to keep it, and whether it gets everything once it reads again.
 */
import { mergeEncoded, percentileMetrics } from '../stats/latency.ts'
import { nowUs } from '../wire/clock.ts'
import type { Outcome, Scenario, Stage } from './scenario.ts'
import { steadyOrder } from './steady-order.ts'

const MESSAGE_BYTES = 8192
const PUBLISHERS = 16
const OTHER_PER_SECOND = 200
const LONGEST_US = 60e6
const PATIENCE_MS = 5000

export function slowReaderScenario(messages: number): Scenario {
  return { name: `slow-reader-${messages}`, run: (stage) => runSlowReader(stage, messages) }
}

async function runSlowReader(stage: Stage, messages: number): Promise<Outcome> {
  const { server, team, tokens } = stage
  await team.open(1, tokens.clients.slice(0, 1))
  const startUs = await team.startSoon(2)
  await team.resetDeliveries(startUs)
  await team.pause()
  const before = server.use()
  const toStuck = team.publish({
    tokens: tokens.applications.slice(0, 1),
    connections: PUBLISHERS,
    messageBytes: MESSAGE_BYTES,
    ratePerSecond: 0,
    startUs,
    recordFromUs: startUs,
    endUs: startUs + LONGEST_US,
    messageLimit: messages,
  })
  const toOther = team.publishBeside(
    steadyOrder({
      tokens: tokens.applications.slice(1, 2),
      messageBytes: 100,
      ratePerSecond: OTHER_PER_SECOND,
      startUs,
      endUs: startUs + 3e6,
    }),
  )
  const [stuck, other] = await Promise.all([toStuck, toOther])
  const after = server.use()
  const resumedUs = nowUs()
  await team.resume()
  const deliveries = await team.awaitDeliveries(stuck.accepted, PATIENCE_MS)
  await team.close()
  return {
    metrics: {
      ...percentileMetrics('publish', mergeEncoded([stuck.latency])),
      ...percentileMetrics('otherUser', mergeEncoded([other.latency])),
      failed: stuck.failed + other.failed,
      missing: stuck.accepted - deliveries.frames,
      outOfOrder: deliveries.outOfOrder,
      socketsLost: deliveries.lost,
      catchUpMs: (deliveries.lastFrameUs - resumedUs) / 1000,
      ...(before === null || after === null
        ? {}
        : { growthMb: (after.ownBytes - before.ownBytes) / 1e6 }),
    },
  }
}
