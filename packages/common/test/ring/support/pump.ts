/** The gateway's side of the tests with real threads: starts workers and drains delivery lanes, bounded, as the gateway does. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Test } from 'tap'
import type { ShardIndex } from '../../../src/ids.ts'
import type { GatewayRing } from '../../../src/ring/gateway-ring.ts'
import type { LaneReader } from '../../../src/ring/lane-reader.ts'
import { holdsRecord, lengthOf } from './lane-pair.ts'
import type { StressTask } from './stress-thread.ts'

const RECORDS_PER_VISIT = 200

export function startWorker(
  test: Test,
  ring: GatewayRing,
  thread: number,
  task: StressTask['task'],
): Worker {
  const seat = ring.seatFor(thread)
  const workerData: StressTask = { seat, task }
  const worker = new Worker(new URL('stress-thread.js', import.meta.url), {
    workerData,
    transferList: [seat.port],
  })
  worker.on('error', (error) => test.fail('a worker failed', { error }))
  test.teardown(() => worker.terminate())
  return worker
}

/** Drains delivery lanes until `done`, handing over each record before it is released. */
export async function pumpUntil(
  ring: GatewayRing,
  handle: (shard: ShardIndex, reader: LaneReader) => void,
  done: () => boolean,
): Promise<void> {
  while (!done()) {
    const visited = ring.waiter.takeDirty((shard) => {
      const reader = ring.deliveryReader(shard)
      for (let count = 0; reader.peek(); count++) {
        if (count === RECORDS_PER_VISIT) {
          ring.waiter.keepDirty(shard)
          return
        }
        handle(shard, reader)
        reader.release()
      }
    })
    await (visited > 0 ? nextTurn() : ring.waiter.wait())
  }
}

/** Reads what is left in a shard's delivery lane. */
export function drainLane(
  ring: GatewayRing,
  shard: ShardIndex,
  handle: (shard: ShardIndex, reader: LaneReader) => void,
): void {
  const reader = ring.deliveryReader(shard)
  while (reader.peek()) {
    handle(shard, reader)
    reader.release()
  }
}

/** Checks that each shard's records come as 0, 1, 2, ... with the right length and bytes. */
export class RecordChecker {
  /** How many records of each shard came, all of them right. */
  readonly counts = new Map<ShardIndex, number>()
  readonly #laneBytes: number

  constructor(laneBytes: number) {
    this.#laneBytes = laneBytes
  }

  check(shard: ShardIndex, reader: LaneReader): void {
    const id = this.counts.get(shard) ?? 0
    if (!holdsRecord(reader, id, lengthOf(id, this.#laneBytes))) {
      throw new Error(`Shard ${shard}: record ${id} is not what was written`)
    }
    this.counts.set(shard, id + 1)
  }

  get total(): number {
    let total = 0
    for (const count of this.counts.values()) total += count
    return total
  }
}
