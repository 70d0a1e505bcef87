/**
 * What a server process and its database use, read from /proc (Linux). Memory of PostgreSQL is its PSS, because its processes share pages that RSS would count once for each of them.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Kernel clock ticks a second in /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

export interface ProcessUse {
  readonly rssBytes: number
  /**
   * Memory that is the process's own, in RAM or in swap. Unlike RSS it doesn't shrink when the kernel drops pages of
   * program files that can be read again, so differences of it mean something.
   */
  readonly ownBytes: number
  readonly threads: number
  readonly cpuSeconds: number
  readonly databaseBytes: number
  readonly databaseCpuSeconds: number
}

/** Reads the process and everything that descends from it or serves `dataDir`. */
export function readProcessUse(pid: number, dataDir: string | null): ProcessUse {
  const table = readProcessTable()
  const database = databaseProcesses(table, pid, dataDir)
  let databaseBytes = 0
  let databaseCpuSeconds = 0
  for (const id of database) {
    databaseBytes += field(`/proc/${id}/smaps_rollup`, 'Pss') * 1024
    databaseCpuSeconds += table.get(id)?.cpuSeconds ?? 0
  }
  const kilobytes = (name: string): number => field(`/proc/${pid}/status`, name)
  return {
    rssBytes: kilobytes('VmRSS') * 1024,
    ownBytes: (kilobytes('RssAnon') + kilobytes('RssShmem') + kilobytes('VmSwap')) * 1024,
    threads: kilobytes('Threads'),
    cpuSeconds: table.get(pid)?.cpuSeconds ?? 0,
    databaseBytes,
    databaseCpuSeconds,
  }
}

/** Kernel memory in slabs, bytes: where sockets, inodes and epoll items live, on the whole machine. */
export function readSlabBytes(): number {
  return field('/proc/meminfo', 'Slab') * 1024
}

interface TableRow {
  readonly parent: number
  readonly cpuSeconds: number
}

function readProcessTable(): Map<number, TableRow> {
  const table = new Map<number, TableRow>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    // The name in parentheses may hold anything, so the fields are counted from the last ')'.
    const fields = readOr(`/proc/${name}/stat`, '').split(')').at(-1)?.trim().split(' ') ?? []
    if (fields.length < 14) continue
    table.set(Number(name), {
      parent: Number(fields[1]),
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    })
  }
  return table
}

function databaseProcesses(
  table: ReadonlyMap<number, TableRow>,
  server: number,
  dataDir: string | null,
): number[] {
  const roots = [server]
  if (dataDir !== null) {
    for (const pid of table.keys()) {
      const command = readOr(`/proc/${pid}/cmdline`, '')
      if (command.includes('postgres') && command.includes(dataDir)) roots.push(pid)
    }
  }
  const family = new Set(roots)
  for (let grown = true; grown;) {
    grown = false
    for (const [pid, row] of table) {
      if (!family.has(pid) && family.has(row.parent)) {
        family.add(pid)
        grown = true
      }
    }
  }
  family.delete(server)
  return [...family]
}

function field(path: string, name: string): number {
  const match = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(readOr(path, ''))
  return Number(match?.[1] ?? 0)
}

/** Processes end between two reads; a file that is gone counts as empty. */
function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return otherwise
  }
}
