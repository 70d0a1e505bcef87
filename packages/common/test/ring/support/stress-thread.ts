/** Worker entry of the stress and channel tests: writes deliveries as fast as the lanes take them, or answers commands. */
import { workerData } from 'node:worker_threads'
import type { ShardIndex } from '../../../src/ids.ts'
import { WorkerRing, type RingSeat } from '../../../src/ring/worker-ring.ts'
import { lengthOf, writeRecord } from './lane-pair.ts'

export interface StressTask {
  readonly seat: RingSeat
  readonly task:
    | { readonly do: 'echo' }
    | { readonly do: 'produce'; readonly shards: readonly number[]; readonly records: number }
}

const { seat, task } = workerData as StressTask
const ring = new WorkerRing(seat)
if (task.do === 'echo') {
  await echo()
} else {
  await Promise.all(task.shards.map((shard) => produce(shard as ShardIndex, task.records)))
  ring.close()
}

async function produce(shard: ShardIndex, records: number): Promise<void> {
  const writer = ring.deliveryWriter(shard)
  for (let id = 0; id < records; id++) {
    const length = lengthOf(id, seat.arena.laneBytes)
    while (!writeRecord(writer, id, length)) {
      if (!(await ring.waitForDeliveryRoom(shard, length))) return
    }
    ring.markDelivery(shard)
    if (id % 7 === 0) ring.ringGateway()
  }
  ring.ringGateway()
}

/** Answers each command by a delivery of the same bytes, in the same shard. */
async function echo(): Promise<void> {
  while (!ring.waiter.closed) {
    const visited = ring.waiter.takeDirty((shard) => {
      const reader = ring.commandReader(shard)
      const writer = ring.deliveryWriter(shard)
      while (reader.peek()) {
        if (!writer.tryClaim(reader.length)) {
          ring.waiter.keepDirty(shard)
          break
        }
        reader.bytes.copy(writer.bytes, writer.offset, reader.offset, reader.offset + reader.length)
        writer.commit()
        reader.release()
      }
      ring.markDelivery(shard)
    })
    if (visited > 0) {
      ring.ringGateway()
      await new Promise(setImmediate)
    } else await ring.waiter.wait()
  }
}
