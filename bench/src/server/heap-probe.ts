/**
 * Loaded into every thread of a measured Node server by `--import`, before the server itself. On SIGUSR2 all threads
 * collect garbage and report their JavaScript heaps; the main thread adds them up into `heap.json` in the working
 * folder. The split of a socket's price into V8 and the rest needs numbers that only the process itself knows.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { BroadcastChannel, isMainThread } from 'node:worker_threads'

/** How long the other threads may take to answer; a thread that is blocked is left out. */
const ANSWER_MS = 400

interface Heap {
  readonly heapUsedBytes: number
  readonly heapTotalBytes: number
  readonly externalBytes: number
}

// Neither object keeps its thread alive.
const channel = new BroadcastChannel('bellwire-bench-heap')
channel.unref()

if (isMainThread) {
  const answers: Heap[] = []
  channel.onmessage = (event) => {
    answers.push((event as { readonly data: Heap }).data)
  }
  process.on('SIGUSR2', () => {
    answers.length = 0
    channel.postMessage('collect')
    const own = collect()
    setTimeout(() => {
      write([own, ...answers])
    }, ANSWER_MS)
  })
} else {
  channel.onmessage = () => {
    channel.postMessage(collect())
  }
}

function collect(): Heap {
  globalThis.gc?.()
  const { heapUsed, heapTotal, external } = process.memoryUsage()
  return { heapUsedBytes: heapUsed, heapTotalBytes: heapTotal, externalBytes: external }
}

function write(heaps: readonly Heap[]): void {
  const sum = (name: keyof Heap): number => heaps.reduce((total, heap) => total + heap[name], 0)
  const all = {
    threads: heaps.length,
    heapUsedBytes: sum('heapUsedBytes'),
    heapTotalBytes: sum('heapTotalBytes'),
    externalBytes: sum('externalBytes'),
  }
  writeFileSync('heap.tmp', JSON.stringify(all))
  renameSync('heap.tmp', 'heap.json')
}
