/**
 * 1K, 10K and 100K sockets held at once, for real: as many users as sockets, over one cluster of as many processes as
 * the file limit of one demands. Then one message to each user, and a steady trickle of messages while all are held.
 */
import { mergeEncoded, percentileMetrics } from '../stats/latency.ts'
import type { Runner } from '../plan/runner.ts'
import { say } from '../plan/progress.ts'
import { readSlabBytes, readTcpBufferBytes, readUsedBytes } from '../server/machine-use.ts'
import type { ProcessUse } from '../server/process-use.ts'
import { clusterVariant } from '../server/variant.ts'
import { sleep } from '../wire/clock.ts'
import type { Metrics, Stage } from './scenario.ts'
import { steadyOrder } from './steady-order.ts'

/** SO_REUSEPORT draws the process, so shares differ by a few hundred; all stay below 20,000 files. */
const SOCKETS_A_PROCESS = 17_000
const SETTLE_MS = 3000
const PUBLISHERS = 256
const RATE_PER_SECOND = 200
const SECONDS = 5
const MESSAGE_BYTES = 200
const LONGEST_US = 300e6
const PATIENCE_MS = 8000

export const SCALES = ['1k', '10k', '100k'] as const

/** The number in `10k`. @throws {RangeError} */
export function socketsOf(scale: string): number {
  const thousands = Number(/^(\d+)k$/.exec(scale)?.[1] ?? Number.NaN)
  if (!(thousands > 0))
    throw new RangeError(`Expected a number of sockets such as 10k, got "${scale}"`)
  return thousands * 1000
}

/**
 * @param processes 0: as many as the sockets need
 * @throws {RangeError} when `scale` is no number of thousands
 */
export async function runScale(runner: Runner, scale: string, processes = 0): Promise<void> {
  const sockets = socketsOf(scale)
  if (runner.interrupted) return
  const members = processes === 0 ? Math.ceil(sockets / SOCKETS_A_PROCESS) : processes
  say(`[scale] ${sockets} users with a socket each, ${members} server processes`)
  const variant = { ...clusterVariant(members), name: 'defaults' }
  try {
    const place = await runner.templates.start(variant, sockets)
    try {
      await runner.withTeam(
        place,
        async (stage) => {
          const metrics = await holdAll(stage, sockets)
          runner.add(`scale-${sockets}`, variant.name, 0, {
            metrics: { processes: members, ...metrics },
          })
        },
        Math.ceil(sockets / members),
      )
    } finally {
      await place.server.stop()
    }
  } catch (error) {
    runner.fail(`scale ${scale}`, error)
  }
  runner.save()
}

interface Memory {
  readonly use: ProcessUse | null
  readonly slabBytes: number
  readonly tcpBufferBytes: number
  readonly usedBytes: number
}

async function readMemory({ server }: Stage): Promise<Memory> {
  await sleep(SETTLE_MS)
  return {
    use: server.use(),
    slabBytes: readSlabBytes(),
    tcpBufferBytes: readTcpBufferBytes(),
    usedBytes: readUsedBytes(),
  }
}

async function holdAll(stage: Stage, sockets: number): Promise<Metrics> {
  const { server, team, tokens } = stage
  const before = await readMemory(stage)
  const opened = await team.open(sockets, tokens.clients)
  say(`    ${opened.opened} open after ${opened.seconds.toFixed(1)} s, ${opened.refused} refused`)
  const after = await readMemory(stage)
  const mostOpenFiles = server.mostOpenFiles()
  const toEach = await publishToEach(stage)
  const trickle = await publishTrickle(stage)
  const { open, lost } = await team.readDeliveries()
  return {
    socketsHeld: open,
    connectSuccess: opened.opened / sockets,
    socketsRefused: opened.refused,
    socketsLost: lost,
    connectsPerSecond: opened.opened / opened.seconds,
    ...percentileMetrics('handshake', opened.handshake),
    ...(mostOpenFiles === null ? {} : { mostOpenFiles }),
    ...memoryPrices(before, after, opened.opened),
    ...toEach,
    ...trickle,
    failed: toEach.eachFailed + trickle.failed,
    missing: toEach.eachMissing + trickle.missing,
    outOfOrder: toEach.eachOutOfOrder + trickle.outOfOrder,
  }
}

/** The kernel's part is halved, because both ends of each socket are on this machine. */
function memoryPrices(before: Memory, after: Memory, sockets: number): Metrics {
  const kernel = {
    kernelBytesPerSocket: (after.slabBytes - before.slabBytes) / sockets / 2,
    tcpBufferBytesPerSocket: (after.tcpBufferBytes - before.tcpBufferBytes) / sockets / 2,
    /** Load processes and both ends included. */
    machineBytesPerSocket: (after.usedBytes - before.usedBytes) / sockets,
  }
  if (before.use === null || after.use === null) return kernel
  return {
    ...kernel,
    growthBytesPerSocket: (after.use.ownBytes - before.use.ownBytes) / sockets,
    rssBytesPerSocket: after.use.rssBytes / sockets,
    rssMb: after.use.rssBytes / 1e6,
    emptyRssMb: before.use.rssBytes / 1e6,
    databasePssMb: after.use.databaseBytes / 1e6,
  }
}

/** One message to each user, as fast as the server takes them. */
async function publishToEach({ team, tokens }: Stage) {
  const startUs = await team.startSoon()
  await team.resetDeliveries(startUs)
  const result = await team.publish({
    tokens: tokens.applications,
    connections: PUBLISHERS,
    messageBytes: MESSAGE_BYTES,
    ratePerSecond: 0,
    startUs,
    recordFromUs: startUs,
    endUs: startUs + LONGEST_US,
    messageLimit: tokens.applications.length,
    inTurn: true,
  })
  const deliveries = await team.awaitDeliveries(result.accepted, PATIENCE_MS)
  return {
    eachPublishesPerSecond: result.recorded / result.recordedSeconds,
    ...percentileMetrics('eachPublish', mergeEncoded([result.latency])),
    ...percentileMetrics('eachDelivery', deliveries.latency),
    eachSeconds: (deliveries.lastFrameUs - result.firstUs) / 1e6,
    usersReached: deliveries.frames,
    eachFailed: result.failed,
    eachMissing: result.accepted - deliveries.frames,
    eachOutOfOrder: deliveries.outOfOrder,
  }
}

/** What a message costs in time while all sockets are held and the server has time. */
async function publishTrickle({ team, tokens }: Stage) {
  const startUs = await team.startSoon()
  await team.resetDeliveries(startUs)
  const result = await team.publish(
    steadyOrder({
      tokens: tokens.applications,
      messageBytes: MESSAGE_BYTES,
      ratePerSecond: RATE_PER_SECOND,
      startUs,
      endUs: startUs + SECONDS * 1e6,
    }),
  )
  const deliveries = await team.awaitDeliveries(result.accepted, PATIENCE_MS)
  return {
    ...percentileMetrics('publish', mergeEncoded([result.latency])),
    ...percentileMetrics('delivery', deliveries.latency),
    failed: result.failed,
    missing: result.accepted - deliveries.frames,
    outOfOrder: deliveries.outOfOrder,
  }
}
