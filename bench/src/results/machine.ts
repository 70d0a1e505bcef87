/** The facts about the machine that a figure means nothing without. Names no host and no path. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { REPOSITORY } from '../server/paths.ts'

const KERNEL_SETTINGS = [
  'net/core/somaxconn',
  'net/ipv4/tcp_mem',
  'net/ipv4/tcp_rmem',
  'net/ipv4/tcp_wmem',
  'net/ipv4/tcp_max_syn_backlog',
  'net/ipv4/ip_local_port_range',
  'fs/file-max',
  'vm/max_map_count',
]

export interface MachineFacts {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly virtual: boolean
  readonly system: string
  readonly kernel: string
  readonly node: string
  readonly openFiles: string
  /** Load average of the last minute before the run: above a few tenths, others were at work too. */
  readonly loadBefore: number
  readonly settings: Readonly<Record<string, string>>
}

export function machineFacts(): MachineFacts {
  const release = /PRETTY_NAME="([^"]*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  const limits = readFileSync('/proc/self/limits', 'utf8')
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGb: Number((os.totalmem() / 1e9).toFixed(1)),
    virtual: readFileSync('/proc/cpuinfo', 'utf8').includes(' hypervisor'),
    system: release ?? os.platform(),
    kernel: os.release(),
    node: process.version,
    openFiles: /Max open files\s+(\d+|unlimited)/.exec(limits)?.[1] ?? 'unknown',
    loadBefore: os.loadavg()[0] ?? 0,
    settings: Object.fromEntries(
      KERNEL_SETTINGS.map((name) => [name.replaceAll('/', '.'), sysctl(name)]),
    ),
  }
}

/** The commit of the working tree, with `-dirty` when something differs from it; `unknown` outside git. */
export function commitName(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: REPOSITORY, encoding: 'utf8', stdio: 'pipe' }).trim()
    const dirty = git('status', '--porcelain', '--', 'packages', 'bench/src') !== ''
    return git('rev-parse', '--short=12', 'HEAD') + (dirty ? '-dirty' : '')
  } catch {
    return 'unknown'
  }
}

/** Some settings are missing in containers. */
function sysctl(name: string): string {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim().replaceAll('\t', ' ')
  } catch {
    return 'not readable'
  }
}
