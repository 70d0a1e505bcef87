/**
 * What a server and its database use, read from /proc (Linux). A server may be several processes: the primary of a
 * cluster and its members. Memory of PostgreSQL is its PSS, because its processes share pages that RSS would count once
 * for each of them.
 */
import { readdirSync } from 'node:fs'
import { membersOf, sparesOf } from './members-of.ts'
import { field, readOr } from './proc-file.ts'

/** Kernel clock ticks a second in /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** Sums over the processes of the server, unless said otherwise. */
export interface ProcessUse {
  readonly rssBytes: number
  /** RSS of each member of a cluster; empty for a server of one process. */
  readonly memberRssBytes: readonly number[]
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
  const members = membersOf(pid)
  const server = [pid, ...members, ...sparesOf(pid)]
  const database = databaseProcesses(table, server, dataDir)
  let databaseBytes = 0
  let databaseCpuSeconds = 0
  for (const id of database) {
    databaseBytes += field(`/proc/${id}/smaps_rollup`, 'Pss') * 1024
    databaseCpuSeconds += table.get(id)?.cpuSeconds ?? 0
  }
  const sum = (of: (id: number) => number): number =>
    server.reduce((total, id) => total + of(id), 0)
  const status = (name: string): number => sum((id) => field(`/proc/${id}/status`, name))
  return {
    rssBytes: status('VmRSS') * 1024,
    memberRssBytes: members.map((id) => field(`/proc/${id}/status`, 'VmRSS') * 1024),
    ownBytes: (status('RssAnon') + status('RssShmem') + status('VmSwap')) * 1024,
    threads: status('Threads'),
    cpuSeconds: sum((id) => table.get(id)?.cpuSeconds ?? 0),
    databaseBytes,
    databaseCpuSeconds,
  }
}

/** Open files of the process of the server that has the most. */
export function readMostOpenFiles(pid: number): number {
  const server = [pid, ...membersOf(pid)]
  return Math.max(...server.map((id) => readdirSync(`/proc/${id}/fd`).length))
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
  server: readonly number[],
  dataDir: string | null,
): number[] {
  const roots = [...server]
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
  for (const pid of server) family.delete(pid)
  return [...family]
}
