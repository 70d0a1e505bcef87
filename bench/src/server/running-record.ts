/**
 * Lists of the processes that runs started, on disk, one list a run, so that `run-benchmark.sh stop` can end them after
 * the run itself was killed, and a run's own cleanup what that run left. A process is known by id and start time: an id that belongs to somebody else by now is
 * left alone.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { sleep } from '../wire/clock.ts'
import { WORK_DIR } from './paths.ts'

const PREFIX = 'running-'
const OWN_RECORD = `${WORK_DIR}/${PREFIX}${process.pid}`
const POLITE_MS = 20_000

export function rememberProcess(pid: number): void {
  mkdirSync(WORK_DIR, { recursive: true })
  appendFileSync(OWN_RECORD, `${pid} ${startTime(pid)}\n`)
}

/** Forgets this run's list; call it when everything was stopped in order. */
export function forgetProcesses(): void {
  rmSync(OWN_RECORD, { force: true })
}

/**
 * Ends what is still alive of the list of `run` (a process id), politely first, and removes every trace of that run;
 * without `run`, of all lists and all runs. Resolves with how many were alive.
 */
export async function stopRemembered(run?: string): Promise<number> {
  if (!existsSync(WORK_DIR)) return 0
  const records = readdirSync(WORK_DIR).filter((name) =>
    run === undefined ? name.startsWith(PREFIX) : name === `${PREFIX}${run}`,
  )
  const alive = records
    .flatMap((name) => readFileSync(`${WORK_DIR}/${name}`, 'utf8').trim().split('\n'))
    .map((line) => line.split(' '))
    .filter(([pid, started]) => started !== '' && startTime(Number(pid)) === started)
    .map(([pid]) => Number(pid))
  for (const pid of alive) signal(pid, 'SIGTERM')
  for (let waited = 0; waited < POLITE_MS && alive.some(isAlive); waited += 100) await sleep(100)
  for (const pid of alive.filter(isAlive)) signal(pid, 'SIGKILL')
  removeTraces(run)
  return alive.length
}

function removeTraces(run: string | undefined): void {
  const names = run === undefined ? [''] : readdirSync(WORK_DIR).filter((name) => isOf(run, name))
  for (const name of names) rmSync(`${WORK_DIR}/${name}`, { recursive: true, force: true })
}

function isOf(run: string, name: string): boolean {
  return name === `${PREFIX}${run}` || name.startsWith(`${run}-`)
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
