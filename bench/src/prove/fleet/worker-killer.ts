/**
 * Loaded into a Bellwire by `--import`, before the server itself: on SIGUSR2 it ends one shard worker, as a crash in it
 * would. The server has no switch for this and needs none: Node tells of every worker thread that a process starts.
 */
import { isMainThread, type Worker } from 'node:worker_threads'

if (isMainThread) {
  const shardWorkers: Worker[] = []
  process.on('worker', (worker: Worker) => {
    // Others, such as those that check passwords, say nothing of this kind.
    worker.on('message', (message: unknown) => {
      const isReady = (message as { readonly kind?: unknown } | null)?.kind === 'ready'
      if (isReady) shardWorkers.push(worker)
    })
    worker.once('exit', () => {
      const index = shardWorkers.indexOf(worker)
      if (index !== -1) shardWorkers.splice(index, 1)
    })
  })
  process.on('SIGUSR2', () => {
    // The one that has lived longest, so that all have their turn.
    void shardWorkers[0]?.terminate()
  })
}
