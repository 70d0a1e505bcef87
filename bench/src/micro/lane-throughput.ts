/**
 * Throughput of one command lane, gateway -> worker: the main thread writes batches of records and
 * rings once a batch, a worker reads them. No HTTP, no store.
 *
 *   main thread --[command lane of shard 0]--> worker thread
 *
 * Run: node bench/dist/src/micro/lane-throughput.js [seconds a case]
 */
import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { ShardIndex } from '@bellwire/common'
import { createArena, GatewayRing, WorkerRing, type RingSeat } from '@bellwire/common/ring'
import { commitName, machineFacts } from '../results/machine.ts'

const SHARD = 0 as ShardIndex
const LANE_BYTES = 65_536
/** An empty record ends a case: the worker answers with what it counted. */
const END_BYTES = 0

interface Case {
  readonly recordBytes: number
  readonly batch: number
}

interface Tally {
  readonly records: number
  /** Lengths times last bytes: the bytes arrived, without a loop over them in the measured part. */
  readonly sum: number
}

const CASES: readonly Case[] = [
  { recordBytes: 64, batch: 1 },
  { recordBytes: 64, batch: 256 },
  { recordBytes: 300, batch: 1 },
  { recordBytes: 300, batch: 16 },
  { recordBytes: 300, batch: 256 },
  { recordBytes: 4096, batch: 16 },
  { recordBytes: 65_536, batch: 4 },
]

if (isMainThread) await runCases(Number(process.argv[2] ?? 1))
else await readAll(workerData as RingSeat)

async function runCases(secondsPerCase: number): Promise<void> {
  console.log(`commit ${commitName()}`, machineFacts())
  const ring = new GatewayRing(
    createArena({ shardCount: 1, threadCount: 1, laneBytes: LANE_BYTES }),
  )
  const seat = ring.seatFor(0)
  const worker = new Worker(new URL(import.meta.url), {
    workerData: seat,
    transferList: [seat.port],
  })
  await once(worker, 'online')
  await runCase(ring, worker, { recordBytes: 300, batch: 64 }, 500)
  console.log('record bytes  batch  records/s   MB/s')
  for (const { recordBytes, batch } of CASES) {
    const rate = await runCase(ring, worker, { recordBytes, batch }, secondsPerCase * 1000)
    console.log(
      String(recordBytes).padStart(12),
      String(batch).padStart(6),
      String(Math.round(rate)).padStart(10),
      ((rate * recordBytes) / 1e6).toFixed(0).padStart(6),
    )
  }
  ring.close()
  await worker.terminate()
}

/** Records a second from the first claim until the worker has read the last one. */
async function runCase(
  ring: GatewayRing,
  worker: Worker,
  { recordBytes, batch }: Case,
  milliseconds: number,
): Promise<number> {
  const body = Buffer.alloc(recordBytes, 1)
  const writer = ring.commandWriter(SHARD)
  const started = performance.now()
  const tallied = once(worker, 'message')
  let records = 0
  while (performance.now() - started < milliseconds) {
    for (let index = 0; index < batch; index++) {
      while (!writer.tryClaim(recordBytes)) {
        ring.markCommand(SHARD)
        ring.ringThreads()
        await nextTurn()
      }
      body.copy(writer.bytes, writer.offset)
      writer.commit()
      records++
    }
    ring.markCommand(SHARD)
    ring.ringThreads()
  }
  while (!writer.tryClaim(END_BYTES)) await nextTurn()
  writer.commit()
  ring.markCommand(SHARD)
  ring.ringThreads()
  const [tally] = (await tallied) as [Tally]
  if (tally.records !== records || tally.sum !== records * recordBytes) {
    throw new Error(`Cannot count: wrote ${records} records, read ${tally.records}`)
  }
  return (records / (performance.now() - started)) * 1000
}

async function readAll(seat: RingSeat): Promise<void> {
  const ring = new WorkerRing(seat)
  const reader = ring.commandReader(SHARD)
  let records = 0
  let sum = 0
  while (!ring.waiter.closed) {
    const visited = ring.waiter.takeDirty(() => {
      while (reader.peek()) {
        if (reader.length === END_BYTES) {
          parentPort?.postMessage({ records, sum } satisfies Tally)
          records = 0
          sum = 0
        } else {
          records++
          sum += reader.length * (reader.bytes[reader.offset + reader.length - 1] ?? 0)
        }
        reader.release()
      }
    })
    if (visited === 0) await ring.waiter.wait()
  }
}
