/** Doorbell and DoorbellWaiter: which shards are visited, and that no wake-up is lost between real threads. */
import t, { type Test } from 'tap'
import type { ShardIndex } from '../../src/ids.ts'
import { createArena, openArena, type Arena } from '../../src/ring/arena.ts'
import { DoorbellWaiter } from '../../src/ring/doorbell-waiter.ts'
import { Doorbell } from '../../src/ring/doorbell.ts'
import { GatewayRing } from '../../src/ring/gateway-ring.ts'
import { WorkerRing } from '../../src/ring/worker-ring.ts'
import { writeRecord } from './support/lane-pair.ts'
import { pumpUntil, startWorker } from './support/pump.ts'

interface Bell {
  readonly arena: Arena
  readonly doorbell: Doorbell
  readonly waiter: DoorbellWaiter
}

/** Both sides of the gateway's bell on one thread. */
function openBell(test: Test, shardCount: number): Bell {
  const arena = openArena(createArena({ shardCount, threadCount: 1, laneBytes: 64 }))
  const bell = arena.layout.gatewayBell()
  const waiter = new DoorbellWaiter(arena, bell, { direction: 'delivery', first: 0, step: 1 })
  test.teardown(() => waiter.close())
  return { arena, doorbell: new Doorbell(arena, bell), waiter }
}

function visited(waiter: DoorbellWaiter): number[] {
  const shards: number[] = []
  const count = waiter.takeDirty((shard) => shards.push(shard))
  return count === shards.length ? shards : []
}

function markAll(doorbell: Doorbell, shards: readonly number[]): void {
  for (const shard of shards) doorbell.mark(shard as ShardIndex)
}

t.test('[RING7] DoorbellWaiter.takeDirty() visits each marked shard once, in order', async (t) => {
  const { doorbell, waiter } = openBell(t, 4096)
  t.same(visited(waiter), [])
  const shards = [4095, 0, 31, 32, 33, 63, 64, 1000, 31]
  markAll(doorbell, shards)
  t.same(visited(waiter), [0, 31, 32, 33, 63, 64, 1000, 4095])
  t.same(visited(waiter), [], 'a visit takes the mark')
})

t.test(
  '[RING7] DoorbellWaiter.takeDirty() keeps the marks behind a visit that throws',
  async (t) => {
    const { doorbell, waiter } = openBell(t, 64)
    markAll(doorbell, [1, 2, 3, 40])
    const broken = new Error('broken')
    function breakAtTwo(shard: ShardIndex): void {
      if (shard === 2) throw broken
    }
    t.throws(() => waiter.takeDirty(breakAtTwo), broken)
    t.same(visited(waiter), [3, 40])
  },
)

t.test(
  '[RING7] DoorbellWaiter.wait() is null when there is work, else ends by a ring',
  async (t) => {
    const { doorbell, waiter } = openBell(t, 64)
    markAll(doorbell, [3])
    t.equal(waiter.wait(), null, 'marked, not even rung')
    t.same(visited(waiter), [3])
    waiter.keepDirty(5 as ShardIndex)
    t.equal(waiter.wait(), null, 'left unfinished')
    t.same(visited(waiter), [5])
    const waiting = waiter.wait()
    t.ok(waiting)
    markAll(doorbell, [7])
    doorbell.ring()
    doorbell.ring()
    await waiting
    t.same(visited(waiter), [7])
  },
)

t.test('[RING7] DoorbellWaiter.close() ends a pending wait', async (t) => {
  const { waiter } = openBell(t, 64)
  const waiting = waiter.wait()
  t.notOk(waiter.closed)
  waiter.close()
  await waiting
  t.ok(waiter.closed)
  t.equal(waiter.wait(), null)
})

t.test('[RING7] records whose mark and ring were lost are found within seconds', async (t) => {
  const ring = new GatewayRing(createArena({ shardCount: 64, threadCount: 2, laneBytes: 1024 }))
  const worker = new WorkerRing(ring.seatFor(1))
  t.teardown(() => {
    ring.close()
    worker.close()
  })
  const shard = 33 as ShardIndex
  const gatewayWait = ring.waiter.wait()
  const workerWait = worker.waiter.wait()
  t.ok(writeRecord(ring.commandWriter(shard), 0, 10))
  t.ok(writeRecord(worker.deliveryWriter(shard), 0, 10))
  await gatewayWait
  await workerWait
  t.same(visited(ring.waiter), [shard])
  t.same(visited(worker.waiter), [shard])
})

t.test('[RING7] 100,000 wake-ups back and forth between two threads, none lost', async (t) => {
  const ring = new GatewayRing(createArena({ shardCount: 1, threadCount: 1, laneBytes: 4096 }))
  t.teardown(() => ring.close())
  startWorker(t, ring, 0, { do: 'echo' })
  const shard = 0 as ShardIndex
  const roundTrips = 50_000
  let answers = 0
  function send(): void {
    writeRecord(ring.commandWriter(shard), answers, 8)
    ring.markCommand(shard)
    ring.ringThreads()
  }
  send()
  // A lost wake-up would cost a second each, until the re-check finds it.
  const slowest = { ms: 0, since: performance.now() }
  await pumpUntil(
    ring,
    () => {
      answers++
      slowest.ms = Math.max(slowest.ms, performance.now() - slowest.since)
      slowest.since = performance.now()
      if (answers < roundTrips) send()
    },
    () => answers === roundTrips,
  )
  t.equal(answers, roundTrips)
  t.comment(`slowest round trip ${slowest.ms.toFixed(1)} ms`)
})
