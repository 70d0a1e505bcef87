/** What the kernel counts for the whole machine, read from /proc (Linux): no process owns it. */
import { field, readOr } from './proc-file.ts'

/** Of the kernel's counts in pages, on x86-64 and most arm64. */
const PAGE_BYTES = 4096

/** Kernel memory in slabs, bytes: where sockets, inodes and epoll items live. */
export function readSlabBytes(): number {
  return field('/proc/meminfo', 'Slab') * 1024
}

/** Memory of TCP buffers, bytes: what sockets hold beyond their slabs. */
export function readTcpBufferBytes(): number {
  const pages = /^TCP:.* mem (\d+)/m.exec(readOr('/proc/net/sockstat', ''))?.[1]
  return Number(pages ?? 0) * PAGE_BYTES
}

/** RAM that is neither free nor cache that could be dropped, bytes: processes, kernel, everything. */
export function readUsedBytes(): number {
  return (field('/proc/meminfo', 'MemTotal') - field('/proc/meminfo', 'MemAvailable')) * 1024
}

/**
 * Connects since boot that found the accept queue of their server full. The client hears nothing and tries again after
 * 1, 3 and 7 s, so each of them is a long handshake.
 */
export function readFullAcceptQueues(): number {
  const [names = '', values = ''] = readOr('/proc/net/netstat', '').split('\n')
  const at = names.split(' ').indexOf('ListenOverflows')
  return at < 0 ? 0 : Number(values.split(' ')[at] ?? 0)
}
