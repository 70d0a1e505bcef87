/**
 * Memory of idle sockets: opens them step by step, lets the server come to rest at each step, and fits a line. The
 * slope is the price of a socket, free of what the process costs anyway; opening them gives the connect rate.
 * Kernel memory is the growth of all slabs divided by two, since both ends of each socket are on this machine.
 */
import { percentileMetrics } from '../stats/latency.ts'
import { fitLine } from '../stats/summary.ts'
import { readSlabBytes } from '../server/process-use.ts'
import { sleep } from '../wire/clock.ts'
import type { Metrics, Outcome, Scenario, Stage } from './scenario.ts'

const SETTLE_MS = 2500

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
      ...slopes(points),
    },
    points,
  }
}

async function measure({ server }: Stage, sockets: number): Promise<Metrics> {
  await sleep(SETTLE_MS)
  const heap = await server.heap()
  const use = server.use()
  return {
    sockets,
    slabBytes: readSlabBytes(),
    ...(use === null ? {} : { rssBytes: use.rssBytes, ownBytes: use.ownBytes }),
    ...(heap === null ? {} : { ...heap }),
  }
}

/** Bytes a socket of everything that was measured at all steps but the first: the first sockets warm the server up. */
function slopes([, ...points]: readonly Metrics[]): Metrics {
  const slope = (name: string): readonly [number, number] | null => {
    const line = points.map((point) => [point['sockets'] ?? 0, point[name] ?? Number.NaN] as const)
    if (line.some(([, bytes]) => Number.isNaN(bytes))) return null
    const fit = fitLine(line)
    return [fit.slope, fit.rSquared]
  }
  const own = slope('ownBytes')
  const heap = slope('heapUsedBytes')
  const external = slope('externalBytes')
  const slab = slope('slabBytes')
  return {
    ...(own === null ? {} : { processBytesPerSocket: own[0], processFitRSquared: own[1] }),
    ...(heap === null ? {} : { heapBytesPerSocket: heap[0] }),
    ...(external === null ? {} : { externalBytesPerSocket: external[0] }),
    ...(slab === null ? {} : { kernelBytesPerSocket: slab[0] / 2 }),
  }
}
