/**
 * A list of the processes that a run started, on disk, so that `run-benchmark.sh stop` can end them after the run
 * itself was killed. A process is known by id and start time: an id that was given to somebody else is left alone.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { sleep } from '../wire/clock.ts'
import { RUNNING_RECORD, WORK_DIR } from './paths.ts'

export function rememberProcess(pid: number): void {
  mkdirSync(WORK_DIR, { recursive: true })
  appendFileSync(RUNNING_RECORD, `${pid} ${startTime(pid)}\n`)
}

/** Ends what is still alive of the record, politely first, and forgets it. Resolves with how many were ended. */
export async function stopRemembered(): Promise<number> {
  if (!existsSync(RUNNING_RECORD)) return 0
  const alive = readFileSync(RUNNING_RECORD, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([pid, started]) => started !== '' && startTime(Number(pid)) === started)
    .map(([pid]) => Number(pid))
  for (const pid of alive) signal(pid, 'SIGTERM')
  for (let waited = 0; waited < 10_000 && alive.some(isAlive); waited += 200) await sleep(200)
  for (const pid of alive.filter(isAlive)) signal(pid, 'SIGKILL')
  rmSync(RUNNING_RECORD)
  return alive.length
}

function startTime(pid: number): string {
  if (!existsSync(`/proc/${pid}/stat`)) return ''
  return readFileSync(`/proc/${pid}/stat`, 'latin1').split(')').at(-1)?.trim().split(' ')[19] ?? ''
}

function isAlive(pid: number): boolean {
  return startTime(pid) !== ''
}

/** A process that is gone already has got what it was to get. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}
