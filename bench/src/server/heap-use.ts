/** Asks a server that was started with heap-probe.ts for its JavaScript heap. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { sleep } from '../wire/clock.ts'

/** Node options of a server that can be asked. */
export const PROBE_OPTIONS = [
  '--expose-gc',
  '--import',
  fileURLToPath(new URL('./heap-probe.js', import.meta.url)),
]

const ANSWER_LIMIT_MS = 5000

export interface HeapUse {
  /** Threads that answered. */
  readonly threads: number
  /** Reachable objects of all threads: garbage was collected just before. */
  readonly heapUsedBytes: number
  /** What V8 holds for its heaps, free space included. */
  readonly heapTotalBytes: number
  /** Memory outside the heap that JavaScript objects own: array buffers and the like. */
  readonly externalBytes: number
}

/** Null when the server does not answer in time. */
export async function readHeapUse(pid: number, workDir: string): Promise<HeapUse | null> {
  const answer = `${workDir}/heap.json`
  rmSync(answer, { force: true })
  process.kill(pid, 'SIGUSR2')
  for (let waited = 0; waited < ANSWER_LIMIT_MS; waited += 20) {
    if (existsSync(answer)) return JSON.parse(readFileSync(answer, 'utf8')) as HeapUse
    await sleep(20)
  }
  return null
}
