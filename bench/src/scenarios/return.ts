/**
 * The return after a full restart: every client loses its network, messages go on, the whole server with its database
 * is ended and started again, and all clients come back at once, as careful clients do, from their last ids. Shows how
 * long until everybody has everything, what it costs the database, and what publishers feel meanwhile.
 */
import { mergeEncoded, percentileMetrics } from '../stats/latency.ts'
import type { Runner } from '../plan/runner.ts'
import { say } from '../plan/progress.ts'
import { DatabaseWatch } from '../server/database-watch.ts'
import { publishOne } from '../server/fill.ts'
import { readFullAcceptQueues } from '../server/machine-use.ts'
import { clusterVariant, type Variant } from '../server/variant.ts'
import { nowUs } from '../wire/clock.ts'
import type { Metrics, Stage } from './scenario.ts'
import { steadyOrder } from './steady-order.ts'

const MISSED_A_CLIENT = 5
/** Users without a socket, who get the messages that are published meanwhile. */
const OTHER_USERS = 100
const MEANWHILE_PER_SECOND = 200
const MEANWHILE_SECONDS = 10
const MESSAGE_BYTES = 200
const LONGEST_US = 300e6
/** Longer than a client's longest pause, or a client that waits would look like one that is lost. */
const PATIENCE_MS = 20_000

/** The server as it comes, with a bound on connects, and as two processes that share that bound. */
export function returnVariants(): Variant[] {
  const bounded = (variant: Variant, perSecond: number): Variant => ({
    ...variant,
    name: `${variant.name}-connects-1000`,
    environment: {
      ...variant.environment,
      GOTIFY_SERVER_STREAM_CONNECTSPERSECOND: String(perSecond),
    },
  })
  const one = clusterVariant(1)
  return [one, bounded(one, 1000), bounded(clusterVariant(2), 500)]
}

/** One visit to each of `variants`; a visit that fails is noted. */
export async function runReturn(
  runner: Runner,
  clients: number,
  variants: readonly Variant[],
): Promise<void> {
  for (const variant of variants) {
    if (runner.interrupted) return
    say(`[return] ${clients} clients, ${MISSED_A_CLIENT} missed messages each, ${variant.name}`)
    try {
      const place = await runner.templates.start(variant, clients + OTHER_USERS)
      try {
        await runner.withTeam(place, async (stage) => {
          const metrics = await comeBack(stage, place.workDir, clients)
          runner.add(`return-${clients}`, variant.name, 0, { metrics })
        })
      } finally {
        await place.server.stop()
      }
    } catch (error) {
      runner.fail(`return, ${variant.name}`, error)
    }
    runner.save()
  }
}

async function comeBack(stage: Stage, workDir: string, clients: number): Promise<Metrics> {
  const { server, team, tokens } = stage
  const others = tokens.applications.slice(clients)
  const floorId = await publishOne(server.target, others[0] ?? '')
  await team.open(clients, tokens.clients.slice(0, clients))
  await publishInTurn(stage, tokens.applications.slice(0, clients), 1)
  const known = await team.awaitDeliveries(clients, PATIENCE_MS)
  await team.drop()
  const missed = await publishInTurn(stage, tokens.applications.slice(0, clients), MISSED_A_CLIENT)
  await team.resetDeliveries(Number.POSITIVE_INFINITY)

  const fullQueues = readFullAcceptQueues()
  await server.halt()
  const downUs = nowUs()
  const back = team.return(floorId)
  await server.startAgain()
  const healthyUs = nowUs()
  const before = server.use()
  const watch = new DatabaseWatch(workDir)
  const startUs = await team.startSoon()
  const meanwhile = team.publish(
    steadyOrder({
      tokens: others,
      messageBytes: MESSAGE_BYTES,
      ratePerSecond: MEANWHILE_PER_SECOND,
      startUs,
      endUs: startUs + MEANWHILE_SECONDS * 1e6,
    }),
  )
  const returned = await back
  const backUs = nowUs()
  // Whoever was refused at first, by a bound on connects, has its first message to get, too.
  const due = missed.accepted + clients - known.frames
  const caughtUp = await team.awaitDeliveries(due, PATIENCE_MS)
  const after = server.use()
  const database = await watch.stop()
  const published = await meanwhile
  await team.close()
  return {
    clients,
    downMs: (healthyUs - downUs) / 1000,
    allBackMs: (backUs - healthyUs) / 1000,
    caughtUpMs: (caughtUp.lastFrameUs - healthyUs) / 1000,
    socketsBack: caughtUp.open,
    messagesCaughtUp: caughtUp.frames,
    answers503: returned.overloaded,
    refused: returned.refused,
    foundQueueFull: readFullAcceptQueues() - fullQueues,
    ...percentileMetrics('handshake', returned.handshake),
    ...percentileMetrics('publish', mergeEncoded([published.latency])),
    ...database,
    ...(before === null || after === null
      ? {}
      : {
          databaseCpuSeconds: after.databaseCpuSeconds - before.databaseCpuSeconds,
          serverCpuSeconds: after.cpuSeconds - before.cpuSeconds,
          rssMb: after.rssBytes / 1e6,
        }),
    failed: published.failed + missed.failed,
    missing: clients * (1 + MISSED_A_CLIENT) - known.frames - caughtUp.frames,
    outOfOrder: caughtUp.outOfOrder,
  }
}

function publishInTurn({ team }: Stage, tokens: readonly string[], times: number) {
  const startUs = nowUs()
  return team.publish({
    tokens,
    connections: 64,
    messageBytes: MESSAGE_BYTES,
    ratePerSecond: 0,
    startUs,
    recordFromUs: startUs,
    endUs: startUs + LONGEST_US,
    messageLimit: tokens.length * times,
    inTurn: true,
  })
}
