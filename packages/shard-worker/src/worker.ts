/** Entry of a shard worker thread. Kept tiny: coverage does not see worker threads. */
import { createLogger, type WorkerStart } from '@bellwire/common'
import { parentPort, workerData } from 'node:worker_threads'
import { runWorker } from './run-worker.ts'

if (parentPort === null) throw new Error('Shard worker must be started as a worker thread')
const start = workerData as WorkerStart
const log = createLogger({ level: start.logLevel, name: `shards ${start.seat.thread}` })
await runWorker(start, parentPort, log)
