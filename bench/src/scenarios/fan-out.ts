/**
 * Fan-out: many sockets of one user. First lone messages with a pause between them (how long until the last device
 * has it?), then a burst sent back to back (how many frames a second leave the server?).
 */
import { percentileMetrics } from '../stats/latency.ts'
import type { Outcome, Scenario, Stage } from './scenario.ts'

const LONE_MESSAGES = 8
const LONE_PER_SECOND = 2
const BURST_MESSAGES = 24
const MESSAGE_BYTES = 200
const PATIENCE_MS = 8000

export function fanOutScenario(sockets: number): Scenario {
  return { name: `fan-out-${sockets}`, run: (stage) => runFanOut(stage, sockets) }
}

async function runFanOut(stage: Stage, sockets: number): Promise<Outcome> {
  const { team, tokens } = stage
  const opened = await team.open(sockets, tokens.clients.slice(0, 1))
  const lone = await send(stage, LONE_MESSAGES, LONE_PER_SECOND, opened.opened)
  const burst = await send(stage, BURST_MESSAGES, 0, opened.opened)
  await team.close()
  return {
    metrics: {
      framesPerSecond: burst.frames / burst.seconds,
      ...percentileMetrics('lone', lone.latency),
      ...percentileMetrics('burst', burst.latency),
      missing: lone.missing + burst.missing,
      outOfOrder: lone.outOfOrder + burst.outOfOrder,
      failed: lone.failed + burst.failed,
      socketsRefused: opened.refused,
    },
  }
}

async function send({ team, tokens }: Stage, messages: number, rate: number, sockets: number) {
  const startUs = await team.startSoon()
  await team.resetDeliveries(startUs)
  const published = await team.publish({
    tokens: tokens.applications.slice(0, 1),
    connections: 1,
    messageBytes: MESSAGE_BYTES,
    ratePerSecond: rate,
    startUs,
    recordFromUs: startUs,
    endUs: startUs + 60e6,
    messageLimit: messages,
  })
  const deliveries = await team.awaitDeliveries(messages * sockets, PATIENCE_MS)
  return {
    frames: deliveries.frames,
    seconds: Math.max(1, deliveries.lastFrameUs - published.firstUs) / 1e6,
    latency: deliveries.latency,
    missing: published.accepted * sockets - deliveries.frames,
    outOfOrder: deliveries.outOfOrder,
    failed: published.failed,
  }
}
