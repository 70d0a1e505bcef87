/**
 * 1K, 10K and 100K sockets held at once, for real: as many server processes as the file limit of one demands, each
 * with its own database, and messages published while all sockets are held.
 */
import { mergeEncoded, percentileMetrics } from '../stats/latency.ts'
import type { Team } from '../agent/team.ts'
import type { Runner } from '../plan/runner.ts'
import { say } from '../plan/progress.ts'
import { readSlabBytes } from '../server/process-use.ts'
import type { RunningServer } from '../server/server-process.ts'
import type { Tokens } from '../server/fill.ts'
import { shardVariant } from '../server/variant.ts'
import { sleep } from '../wire/clock.ts'

const SOCKETS_A_SERVER = 17_000
const SETTLE_MS = 3000
const RATE_PER_SECOND = 200
const SECONDS = 5

export const SCALES = ['1k', '10k', '100k'] as const

interface Held {
  readonly server: RunningServer
  readonly tokens: Tokens
  readonly team: Team
}

/** @throws {RangeError} when `scale` is not one of `SCALES` */
export async function runScale(runner: Runner, scale: string, round: number): Promise<void> {
  const sockets = Number(/^(\d+)k$/.exec(scale)?.[1] ?? Number.NaN) * 1000
  if (Number.isNaN(sockets)) throw new RangeError(`Scale must be one of ${SCALES.join(', ')}`)
  if (runner.interrupted) return
  say(`[scale] ${sockets} sockets on ${Math.ceil(sockets / SOCKETS_A_SERVER)} server processes`)
  try {
    await hold(runner, [], Math.ceil(sockets / SOCKETS_A_SERVER), (all) =>
      measureHeld(runner, all, sockets, round),
    )
  } catch (error) {
    runner.fail(`scale ${scale}`, error)
  }
  runner.save()
}

/** Starts one server after the other, runs `work` with all of them, and stops them whatever happens. */
async function hold(
  runner: Runner,
  held: readonly Held[],
  missing: number,
  work: (all: readonly Held[]) => Promise<void>,
): Promise<void> {
  if (missing === 0) return work(held)
  const place = await runner.templates.start({ ...shardVariant(256), name: 'defaults' })
  try {
    await runner.withTeam(place, (stage) => hold(runner, [...held, stage], missing - 1, work))
  } finally {
    await place.server.stop()
  }
}

async function measureHeld(
  runner: Runner,
  all: readonly Held[],
  sockets: number,
  round: number,
): Promise<void> {
  await sleep(SETTLE_MS)
  const share = sockets / all.length
  const ownBefore = total(all, 'ownBytes')
  const slabBefore = readSlabBytes()
  let opened = 0
  let seconds = 0
  let refused = 0
  for (const { team, tokens } of all) {
    const result = await team.open(Math.round(share), tokens.clients)
    opened += result.opened
    refused += result.refused
    seconds += result.seconds
  }
  await sleep(SETTLE_MS)
  const ownGrowth = total(all, 'ownBytes') - ownBefore
  const slabGrowth = readSlabBytes() - slabBefore
  const published = await publishTo(all, share)
  runner.add(`scale-${sockets}`, 'defaults', round, {
    metrics: {
      processes: all.length,
      socketsHeld: opened,
      connectSuccess: opened / sockets,
      socketsRefused: refused,
      connectsPerSecond: opened / seconds,
      growthBytesPerSocket: ownGrowth / opened,
      kernelBytesPerSocket: slabGrowth / opened / 2,
      rssMb: total(all, 'rssBytes') / 1e6,
      ...published,
    },
  })
}

/** Publishes to the last server, whose users have `share` / users sockets each. */
async function publishTo(all: readonly Held[], share: number): Promise<Record<string, number>> {
  const last = all.at(-1)
  if (last === undefined) return {}
  const startUs = await last.team.startSoon()
  await last.team.resetDeliveries(startUs)
  const result = await last.team.publish({
    tokens: last.tokens.applications,
    connections: 32,
    messageBytes: 200,
    ratePerSecond: RATE_PER_SECOND,
    startUs,
    recordFromUs: startUs,
    endUs: startUs + SECONDS * 1e6,
    messageLimit: 0,
  })
  const expected = (result.accepted * share) / last.tokens.clients.length
  const deliveries = await last.team.awaitDeliveries(expected, 3000)
  return {
    ...percentileMetrics('publish', mergeEncoded([result.latency])),
    ...percentileMetrics('delivery', deliveries.latency),
    framesDelivered: deliveries.frames,
    failed: result.failed,
    outOfOrder: deliveries.outOfOrder,
  }
}

function total(all: readonly Held[], figure: 'ownBytes' | 'rssBytes'): number {
  return all.reduce((sum, { server }) => sum + (server.use()?.[figure] ?? 0), 0)
}
