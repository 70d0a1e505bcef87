/** GatewayRing and WorkerRing on real threads: free-running stress, worker death, new epochs, waiting for room. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { ShardIndex } from '../../src/ids.ts'
import { createArena } from '../../src/ring/arena.ts'
import { GatewayRing } from '../../src/ring/gateway-ring.ts'
import type { ArenaShape } from '../../src/ring/layout.ts'
import { WorkerRing } from '../../src/ring/worker-ring.ts'
import { holdsRecord, lengthOf, writeRecord } from './support/lane-pair.ts'
import { drainLane, pumpUntil, RecordChecker, startWorker } from './support/pump.ts'

const [SHARD_0, SHARD_1] = [0, 1] as ShardIndex[] as [ShardIndex, ShardIndex]

function openRing(test: Test, shape: Partial<ArenaShape>): GatewayRing {
  const ring = new GatewayRing(
    createArena({ shardCount: 2, threadCount: 1, laneBytes: 4096, ...shape }),
  )
  test.teardown(() => ring.close())
  return ring
}

t.test(
  '[RING1] [RING5] [RING7] two threads fill four lanes, every byte arrives in order',
  async (t) => {
    for (const laneBytes of [1024, 16_384]) {
      const ring = openRing(t, { shardCount: 4, threadCount: 2, laneBytes })
      const records = 40_000
      const ends = [0, 1].map((thread) => {
        const task = { do: 'produce', shards: [thread, thread + 2], records } as const
        return once(startWorker(t, ring, thread, task), 'exit')
      })
      const checker = new RecordChecker(laneBytes)
      await pumpUntil(ring, checker.check.bind(checker), () => checker.total === 4 * records)
      t.equal(checker.total, 4 * records, `${laneBytes} bytes a lane`)
      t.same(await Promise.all(ends), [[0], [0]], 'a worker that closed its ring ends by itself')
    }
  },
)

t.test(
  '[RING1] commands to a full lane and their answers keep every byte and the order',
  async (t) => {
    const laneBytes = 4096
    const ring = openRing(t, { laneBytes })
    startWorker(t, ring, 0, { do: 'echo' })
    const checker = new RecordChecker(laneBytes)
    const records = 20_000
    const written = [0, 0]
    let refusals = 0
    function writeSome(shard: ShardIndex): void {
      let id = written[shard] ?? 0
      const until = Math.min(records, id + 50)
      while (id < until && writeRecord(ring.commandWriter(shard), id, lengthOf(id, laneBytes))) id++
      if (id < until) refusals++
      written[shard] = id
      ring.markCommand(shard)
      ring.ringThreads()
    }
    await pumpUntil(ring, checker.check.bind(checker), () => {
      if (checker.total < 2 * records) [SHARD_0, SHARD_1].forEach(writeSome)
      return checker.total === 2 * records
    })
    t.ok(refusals > 0, `${refusals} refused claims, nothing lost`)
  },
)

t.test(
  '[RING8] what a dead worker committed is read, then its lanes serve the next one',
  async (t) => {
    const laneBytes = 1024
    const ring = openRing(t, { laneBytes })
    for (let incarnation = 0; incarnation < 5; incarnation++) {
      const checker = new RecordChecker(laneBytes)
      const check = checker.check.bind(checker)
      const task = { do: 'produce', shards: [0, 1], records: 1_000_000 } as const
      const worker = startWorker(t, ring, 0, task)
      await pumpUntil(ring, check, () => checker.total > 2000)
      while (ring.deliveryReader(SHARD_0).depthGuess() === 0) await sleep(1)
      ring.closeThread(0)
      await worker.terminate()
      const beforeDrain = checker.total
      drainLane(ring, SHARD_0, check)
      drainLane(ring, SHARD_1, check)
      t.ok(checker.total > beforeDrain, `${checker.total - beforeDrain} records read after the end`)
      ring.resetThread(0)
      t.ok(checker.total > 2000, `incarnation ${incarnation} began at record 0 again`)
    }
  },
)

t.test('[RING5] transferred bodies of a worker that ended are still read', async (t) => {
  const ring = openRing(t, { laneBytes: 1024 })
  const worker = startWorker(t, ring, 0, { do: 'echo' })
  const sizes = [700, 90_000, 300]
  for (const [id, size] of sizes.entries()) t.ok(writeRecord(ring.commandWriter(SHARD_0), id, size))
  ring.markCommand(SHARD_0)
  ring.ringThreads()
  await ring.waiter.wait()
  await worker.terminate()
  let id = 0
  drainLane(ring, SHARD_0, (_, reader) => {
    t.ok(holdsRecord(reader, id, sizes[id] ?? 0))
    id++
  })
  t.equal(id, 3)
})

t.test('[RING8] resetThread() loses no delivery in silence and refuses older ends', async (t) => {
  const ring = openRing(t, {})
  const seat = ring.seatFor(0)
  const worker = new WorkerRing(seat)
  t.teardown(() => worker.close())
  const oldCommands = ring.commandWriter(SHARD_0)
  t.ok(writeRecord(oldCommands, 0, 10))
  t.ok(writeRecord(worker.deliveryWriter(SHARD_1), 0, 10))
  t.throws(() => ring.resetThread(0), { code: 'INTERNAL', message: /shard 1 has unread/ })
  drainLane(ring, SHARD_1, (_, reader) => t.ok(holdsRecord(reader, 0, 10)))
  ring.closeThread(0)
  t.notOk(oldCommands.tryClaim(1))
  ring.resetThread(0)
  t.ok(oldCommands.closed)
  t.ok(worker.deliveryWriter(SHARD_1).closed, 'the writer of the dead worker')
  t.equal(ring.seatFor(0).epoch, 1)
  const next = new WorkerRing(ring.seatFor(0))
  t.teardown(() => next.close())
  t.notOk(next.commandReader(SHARD_0).peek(), 'the unread command is gone')
  t.ok(writeRecord(ring.commandWriter(SHARD_0), 1, 20))
  t.ok(next.commandReader(SHARD_0).peek())
  t.throws(() => ring.seatFor(1), { code: 'INTERNAL' }, 'there is one thread')
})

t.test('[RING5] [RING8] a new epoch has all the room for transferred bodies', async (t) => {
  const ring = openRing(t, { laneBytes: 1024 })
  for (let epoch = 0; epoch < 3; epoch++) {
    const writer = ring.commandWriter(SHARD_0)
    let sent = 0
    while (writer.tryClaim(16 * 1024 * 1024)) {
      writer.commit()
      sent++
    }
    t.equal(sent, 4, `epoch ${epoch}: 64 MiB that nobody reads`)
    ring.resetThread(0)
  }
})

t.test(
  '[RING4] waitForDeliveryRoom() waits for a release, and ends when the lane closes',
  async (t) => {
    const ring = openRing(t, { laneBytes: 1024 })
    const worker = new WorkerRing(ring.seatFor(0))
    t.teardown(() => worker.close())
    const writer = worker.deliveryWriter(SHARD_0)
    t.equal(await worker.waitForDeliveryRoom(SHARD_0, 200), true, 'at once')
    while (writeRecord(writer, 0, 200)) continue
    let settled = false
    const room = worker.waitForDeliveryRoom(SHARD_0, 200).finally(() => (settled = true))
    await sleep(20)
    t.equal(settled, false, 'full')
    const reader = ring.deliveryReader(SHARD_0)
    t.ok(reader.peek())
    reader.release()
    t.equal(await room, true)
    t.ok(writeRecord(writer, 0, 200))
    const closed = worker.waitForDeliveryRoom(SHARD_0, 200)
    ring.closeThread(0)
    t.equal(await closed, false)
  },
)
