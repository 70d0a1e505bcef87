/**
 * What the system tells about a process by its number. Numbers are used again, so a process is
 * named by number and start time together: its tag. Main thread; used while the database starts.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** For programs whose output we read and that no setting of ours may sway. */
export const PLAIN_ENVIRONMENT: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
}

export interface ProcessFacts {
  /** `<pid>.<start time>`: no two processes between two boots share one. */
  readonly tag: string
  /** Program and arguments, joined by spaces. */
  readonly command: string
}

/** Returns null for a process that is gone, also when its parent has not collected it yet (a zombie). */
export async function processFacts(pid: number): Promise<ProcessFacts | null> {
  return process.platform === 'linux' ? factsFromProc(pid) : factsFromPs(pid)
}

/** Tells whether the process that once had this tag still runs. */
export async function isRunning(tag: string): Promise<boolean> {
  const facts = await processFacts(Number.parseInt(tag, 10))
  return facts?.tag === tag
}

/** Resolves true once the process is gone, false when it outlives the bound. */
export async function waitUntilGone(tag: string, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (await isRunning(tag)) {
    if (performance.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return true
}

/** proc(5): in `stat`, the name in parentheses may hold anything, so fields count from the last one. */
async function factsFromProc(pid: number): Promise<ProcessFacts | null> {
  try {
    const [stat, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'latin1'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ])
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, startedAt] = [fields[0], fields[19]]
    if (state === 'Z' || state === 'X' || startedAt === undefined) return null
    return { tag: `${pid}.${startedAt}`, command: commandLine.split('\0').join(' ') }
  } catch {
    // The folder of a process goes with it, in the middle of a read too.
    return null
  }
}

async function factsFromPs(pid: number): Promise<ProcessFacts | null> {
  try {
    const columns = ['-o', 'stat=', '-o', 'lstart=', '-o', 'command=']
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-p', String(pid), ...columns], {
      env: PLAIN_ENVIRONMENT,
    })
    // `lstart` is five words, such as "Sun Nov 22 00:54:20 2026".
    const match = /^(\S+)\s+((?:\S+\s+){4}\S+)\s+(.*)$/s.exec(stdout.trim())
    if (match === null || match[1]?.startsWith('Z')) return null
    return { tag: `${pid}.${match[2]?.replace(/\W+/g, '-')}`, command: `${match[3]} ` }
  } catch {
    // ps ends with 1 when there is no such process.
    return null
  }
}
