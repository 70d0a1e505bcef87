/**
 * Memory of idle sockets: opens them step by step and lets the server come to rest at each step. Opening them gives the
 * connect rate. Two prices of a socket come out: the plain one, growth of the process since it was empty divided by the
 * sockets, which includes what the first sockets warm up; and the slope of the live memory over the steps, which can be
 * split. Live memory is the process's own memory without the free space that V8 keeps inside its heaps.
 * Kernel memory is the growth of all slabs divided by two, since both ends of each socket are on this machine.
 */
import { readSlabBytes } from '../server/machine-use.ts'
import { percentileMetrics } from '../stats/latency.ts'
import { fitLine } from '../stats/summary.ts'
import { sleep } from '../wire/clock.ts'
import type { Metrics, Outcome, Scenario, Stage } from './scenario.ts'

const SETTLE_MS = 2000

/** `steps`: sockets held at each step, growing. */
export function idleMemoryScenario(steps: readonly number[]): Scenario {
  const last = steps.at(-1) ?? 0
  return { name: `idle-memory-${last}`, run: (stage) => runIdleMemory(stage, steps) }
}

async function runIdleMemory(stage: Stage, steps: readonly number[]): Promise<Outcome> {
  const points: Metrics[] = [await measure(stage, 0)]
  let held = 0
  let refused = 0
  let connect: Metrics = {}
  for (const step of steps) {
    const opened = await stage.team.open(step - held, stage.tokens.clients)
    held += opened.opened
    refused += opened.refused
    // The last step is the largest, so its rate is the steadiest.
    connect = {
      connectsPerSecond: opened.opened / opened.seconds,
      ...percentileMetrics('handshake', opened.handshake),
    }
    points.push(await measure(stage, held))
  }
  const { open, lost } = await stage.team.readDeliveries()
  await stage.team.close()
  return {
    metrics: {
      socketsHeld: open,
      socketsLost: lost,
      socketsRefused: refused,
      ...connect,
      ...prices(points),
    },
    points,
  }
}

async function measure({ server }: Stage, sockets: number): Promise<Metrics> {
  await sleep(SETTLE_MS)
  const heap = await server.heap()
  const use = server.use()
  const slabBytes = readSlabBytes()
  if (use === null) return { sockets, slabBytes }
  const { rssBytes, ownBytes } = use
  if (heap === null) return { sockets, slabBytes, rssBytes, ownBytes, liveBytes: ownBytes }
  return {
    sockets,
    slabBytes,
    rssBytes,
    ownBytes,
    liveBytes: ownBytes - heap.heapTotalBytes + heap.heapUsedBytes,
    nativeBytes: ownBytes - heap.heapTotalBytes,
    heapUsedBytes: heap.heapUsedBytes,
    threadsAsked: heap.threads,
  }
}

function prices(points: readonly Metrics[]): Metrics {
  const first = points[0]
  const last = points.at(-1)
  const growth =
    first?.['ownBytes'] === undefined || last?.['ownBytes'] === undefined
      ? {}
      : { growthBytesPerSocket: (last['ownBytes'] - first['ownBytes']) / (last['sockets'] ?? 1) }
  return {
    ...growth,
    ...slope(points, 'liveBytes', 'liveBytesPerSocket'),
    ...slope(points, 'nativeBytes', 'nativeBytesPerSocket'),
    ...slope(points, 'heapUsedBytes', 'heapBytesPerSocket'),
    ...slope(points, 'slabBytes', 'kernelBytesPerSocket', 2),
  }
}

/** The first point is left out: the first sockets warm up code and caches. */
function slope([, ...points]: readonly Metrics[], from: string, to: string, ends = 1): Metrics {
  const line = points.map((point) => [point['sockets'] ?? 0, point[from] ?? Number.NaN] as const)
  const fit = fitLine(line)
  return Number.isNaN(fit.slope) ? {} : { [to]: fit.slope / ends }
}
