/**
 * Round trip over a pair of lanes: the main thread writes commands, a worker answers each with a
 * delivery of the same bytes, each side sleeping on its doorbell when it has nothing to do.
 *
 *   main thread --[command lane]--> worker thread --[delivery lane]--> main thread
 *
 * Run: node bench/dist/src/micro/lane-round-trip.js [round trips a case]
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import type { ShardIndex } from '@bellwire/common'
import { createArena, GatewayRing, WorkerRing, type RingSeat } from '@bellwire/common/ring'
import { commitName, machineFacts } from '../results/machine.ts'
import { newHistogram, record } from '../stats/latency.ts'

const SHARD = 0 as ShardIndex

interface Case {
  readonly name: string
  readonly recordBytes: number
  /** Commands written before the answers are awaited; a round trip ends with the last answer. */
  readonly batch: number
  /** Pause before each round trip, in milliseconds: both threads fall asleep in it. */
  readonly pauseMs: number
  readonly share: number
}

const CASES: readonly Case[] = [
  { name: 'back to back', recordBytes: 300, batch: 1, pauseMs: 0, share: 1 },
  { name: 'after 2 ms of sleep', recordBytes: 300, batch: 1, pauseMs: 2, share: 0.05 },
  { name: 'batches of 64', recordBytes: 300, batch: 64, pauseMs: 0, share: 0.25 },
  { name: 'transferred, 64 KiB', recordBytes: 65_536, batch: 1, pauseMs: 0, share: 0.25 },
]

if (isMainThread) await runCases(Number(process.argv[2] ?? 20_000))
else await echoAll(workerData as RingSeat)

async function runCases(roundTrips: number): Promise<void> {
  console.log(`commit ${commitName()}`, machineFacts())
  const ring = new GatewayRing(createArena({ shardCount: 1, threadCount: 1, laneBytes: 65_536 }))
  const seat = ring.seatFor(0)
  const worker = new Worker(new URL(import.meta.url), {
    workerData: seat,
    transferList: [seat.port],
  })
  await once(worker, 'online')
  for (const current of CASES) {
    const histogram = newHistogram()
    const count = Math.ceil(roundTrips * current.share)
    for (let index = 0; index < count; index++) {
      if (current.pauseMs > 0) await sleep(current.pauseMs)
      const started = performance.now()
      writeBatch(ring, current)
      await readBatch(ring, current.batch)
      record(histogram, (performance.now() - started) * 1000)
    }
    const at = (percentile: number): number => histogram.getValueAtPercentile(percentile)
    console.log(
      `${current.name.padEnd(20)} ${count} round trips: p50 ${at(50)} us, p99 ${at(99)} us, max ${histogram.maxValue} us; p50 a record ${(at(50) / current.batch).toFixed(1)} us`,
    )
  }
  ring.close()
  await worker.terminate()
}

function writeBatch(ring: GatewayRing, { recordBytes, batch }: Case): void {
  const writer = ring.commandWriter(SHARD)
  for (let index = 0; index < batch; index++) {
    if (!writer.tryClaim(recordBytes)) throw new Error('Cannot write: the command lane is full')
    writer.bytes.fill(index, writer.offset, writer.offset + recordBytes)
    writer.commit()
  }
  ring.markCommand(SHARD)
  ring.ringThreads()
}

async function readBatch(ring: GatewayRing, batch: number): Promise<void> {
  const reader = ring.deliveryReader(SHARD)
  let answers = 0
  while (answers < batch) {
    const visited = ring.waiter.takeDirty(() => {
      while (reader.peek()) {
        reader.release()
        answers++
      }
    })
    if (visited === 0) await ring.waiter.wait()
  }
}

async function echoAll(seat: RingSeat): Promise<void> {
  const ring = new WorkerRing(seat)
  const reader = ring.commandReader(SHARD)
  const writer = ring.deliveryWriter(SHARD)
  while (!ring.waiter.closed) {
    const visited = ring.waiter.takeDirty(() => {
      while (reader.peek()) {
        if (!writer.tryClaim(reader.length)) throw new Error('Cannot answer: the lane is full')
        reader.bytes.copy(writer.bytes, writer.offset, reader.offset, reader.offset + reader.length)
        writer.commit()
        reader.release()
      }
      ring.markDelivery(SHARD)
    })
    if (visited > 0) ring.ringGateway()
    else await ring.waiter.wait()
  }
}
