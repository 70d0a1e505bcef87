/**
 * Two figures that only the server knows, from its Prometheus page: the JavaScript heap in use and what V8 holds
 * outside of it. A server without the page, or without these names, gives null.
 */
import type { Target } from '../wire/subscriber.ts'

export interface HeapUse {
  readonly heapUsedBytes: number
  readonly externalBytes: number
}

export async function readHeapUse(target: Target): Promise<HeapUse | null> {
  const answer = await fetch(`http://${target.host}:${target.port}/metrics`)
  const text = await answer.text()
  if (!answer.ok) return null
  const heap = sample(text, 'nodejs_heap_size_used_bytes')
  const external = sample(text, 'nodejs_external_memory_bytes')
  return heap === null || external === null
    ? null
    : { heapUsedBytes: heap, externalBytes: external }
}

function sample(text: string, name: string): number | null {
  const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1]
  return value === undefined ? null : Number(value)
}
