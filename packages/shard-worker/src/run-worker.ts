/**
 * Runs a shard worker from its start to its stop: connects the store, says that it is ready, runs
 * the command loop, reports once a second and at its end. On the worker's thread.
 */
import type { MessagePort } from 'node:worker_threads'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { WorkerRing } from '@bellwire/common/ring'
import type { Logger } from '@bellwire/common'
import {
  BATCH_ROW_BOUNDS,
  type FromWorker,
  LATENCY_BOUNDS,
  ValueCounts,
  type WorkerStart,
} from '@bellwire/common'
import { openHintBus } from './cluster/open-hint-bus.ts'
import { ShardThread } from './shard-thread.ts'
import { PgMessageStore } from './store/pg-message-store.ts'

const REPORT_MS = 1_000

/** Resolves when the gateway has said stop and everything accepted is in the log and answered. */
export async function runWorker(start: WorkerStart, port: MessagePort, log: Logger): Promise<void> {
  const ring = new WorkerRing(start.seat)
  const { connection, shared } = start
  const { thread } = start.seat
  const store = new PgMessageStore({
    connection,
    thread,
    exclusive: !shared,
    log,
    isListening: (userId) => shards.isListening(userId),
  })
  const hints = shared ? await openHintBus(start.hints, connection, log) : null
  const batchRows = new ValueCounts(BATCH_ROW_BOUNDS)
  const commitMs = new ValueCounts(LATENCY_BOUNDS)
  const publishMs = new ValueCounts(LATENCY_BOUNDS)
  const shards: ShardThread = new ShardThread({
    lanes: ring,
    store,
    shardCount: start.seat.arena.shardCount,
    ...(hints !== null && { hints }),
    onBatch: (milliseconds, eachPublishMs) => {
      batchRows.count(eachPublishMs.length)
      commitMs.count(milliseconds)
      for (const each of eachPublishMs) publishMs.count(each)
    },
  })
  await store.start()

  const lag = monitorEventLoopDelay({ resolution: 20 })
  lag.enable()
  function report(): void {
    const lagMs = Math.max(0, lag.max / 1e6 - 20)
    lag.reset()
    tell(port, {
      kind: 'report',
      batchRows: batchRows.take(),
      commitMs: commitMs.take(),
      publishMs: publishMs.take(),
      lagMs,
      users: shards.userCount,
      databaseUp: store.isUp,
    })
  }
  const reporting = setInterval(report, REPORT_MS)

  const stopped = new Promise<void>((resolve) => {
    // The only thing that a worker is told: to stop (ToWorker).
    port.once('message', () => resolve())
  })
  tell(port, { kind: 'ready' })
  const running = shards.loop.run()
  await stopped

  while (!shards.idle) await new Promise((resolve) => setTimeout(resolve, 5))
  clearInterval(reporting)
  ring.close()
  await running
  report()
  lag.disable()
  shards.close()
  await hints?.close()
  await store.close()
  port.close()
}

function tell(port: MessagePort, message: FromWorker): void {
  port.postMessage(message)
}
