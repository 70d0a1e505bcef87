/**
 * Loaded into a measured Node server by `--import`, before the server itself: on SIGUSR2 it collects garbage and
 * writes what the main thread's JavaScript heap holds to `heap.json` in the working folder. The split of a socket's
 * price into V8 and the rest needs a number that only the process itself knows.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.on('SIGUSR2', () => {
    globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    writeFileSync('heap.tmp', JSON.stringify({ heapUsedBytes: heapUsed, externalBytes: external }))
    renameSync('heap.tmp', 'heap.json')
  })
}
