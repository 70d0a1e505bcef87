/**
 * Starts and stops one measured server. Every start gets a copy of a filled database, so all rounds begin from the
 * same state. Servers run in a process group of their own: Ctrl-C reaches the coordinator, which stops them in order.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { nowUs, sleep } from '../wire/clock.ts'
import type { Target } from '../wire/subscriber.ts'
import { childEnvironment } from './child-environment.ts'
import { freePort } from './free-port.ts'
import { PROBE_OPTIONS, readHeapUse, type HeapUse } from './heap-use.ts'
import { BARE_MAIN, BELLWIRE_MAIN } from './paths.ts'
import { readMostOpenFiles, readProcessUse, type ProcessUse } from './process-use.ts'
import { rememberProcess } from './running-record.ts'
import type { Variant } from './variant.ts'

const START_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 20_000

export interface RunningServer {
  readonly variant: Variant
  readonly target: Target
  /** Spawn to the first 200 of /health, milliseconds; null for a server that ran already. */
  readonly startMs: number | null
  /** Null where the process is not known or not on this machine. */
  use(): ProcessUse | null
  /** Collects garbage first. Null for servers that are not ours. */
  heap(): Promise<HeapUse | null>
  /** Null as with `use`. */
  mostOpenFiles(): number | null
  /** Ends all of it, database included, and keeps its data for `startAgain`. */
  halt(): Promise<void>
  /**
   * On the same port; resolves when it is healthy.
   * @throws {Error} for a server that is not ours to start
   */
  startAgain(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts `variant` on `workDir` (its database and nothing else) and resolves when /health answers 200.
 * @throws {Error} when it cannot be started, ends or stays silent for a minute; the log tells why
 */
export async function startServer(
  variant: Variant,
  workDir: string,
  logFile: string,
): Promise<RunningServer> {
  if (variant.kind === 'remote') return remoteServer(variant)
  const target = { host: '127.0.0.1', port: await freePort() }
  mkdirSync(workDir, { recursive: true })
  const start = (): Promise<ChildProcess> => launch(variant, target, workDir, logFile)
  const startedUs = nowUs()
  let child = await start()
  const startMs = (nowUs() - startedUs) / 1000
  const pid = (): number => child.pid ?? 0
  return {
    variant,
    target,
    startMs,
    use: () => readProcessUse(pid(), workDir),
    heap: () => (variant.kind === 'gotify' ? Promise.resolve(null) : readHeapUse(pid(), workDir)),
    mostOpenFiles: () => readMostOpenFiles(pid()),
    halt: () => stopChild(child),
    startAgain: async () => {
      child = await start()
    },
    stop: () => stopChild(child),
  }
}

/** Resolves when it is healthy; one that does not get there is ended. */
async function launch(
  variant: Variant,
  target: Target,
  workDir: string,
  logFile: string,
): Promise<ChildProcess> {
  const log = openSync(logFile, 'a')
  const child = spawn(...command(variant, target.port, workDir), {
    cwd: workDir,
    detached: true,
    stdio: ['ignore', log, log],
    env: childEnvironment(settings(variant, target.port, workDir)),
  })
  closeSync(log)
  // Rejects with the reason where there is no such program; unheard, that event would end the whole run.
  const spawned = once(child, 'spawn')
  if (child.pid !== undefined) rememberProcess(child.pid)
  await spawned
  try {
    await untilHealthy(child, target, logFile)
  } catch (error) {
    await stopChild(child)
    throw error
  }
  return child
}

function command(variant: Variant, port: number, workDir: string): [string, string[]] {
  if (variant.kind === 'bellwire') return [process.execPath, [...PROBE_OPTIONS, BELLWIRE_MAIN]]
  if (variant.kind === 'bare')
    return [process.execPath, [...PROBE_OPTIONS, BARE_MAIN, String(port)]]
  return [variant.location ?? `${workDir}/gotify`, ['serve']]
}

function settings(variant: Variant, port: number, workDir: string): Record<string, string> {
  return {
    GOTIFY_SERVER_PORT: String(port),
    GOTIFY_SERVER_LISTENADDR: '127.0.0.1',
    // The lowest cost: filling the database is not what is measured.
    GOTIFY_PASSSTRENGTH: '4',
    ...(variant.kind === 'bellwire' ? { GOTIFY_DATADIR: `${workDir}/data` } : {}),
    ...variant.environment,
  }
}

async function untilHealthy(child: ChildProcess, target: Target, logFile: string): Promise<void> {
  const deadline = nowUs() + START_LIMIT_MS * 1000
  while (nowUs() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`The server ended while it started; see ${logFile}`)
    }
    if (await isHealthy(target)) return
    await sleep(5)
  }
  throw new Error(
    `The server did not get healthy within ${START_LIMIT_MS / 1000} s; see ${logFile}`,
  )
}

/** A refused connection is the answer "not yet". */
async function isHealthy(target: Target): Promise<boolean> {
  try {
    const answer = await fetch(`http://${target.host}:${target.port}/health`)
    await answer.arrayBuffer()
    return answer.ok
  } catch {
    return false
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const killer = setTimeout(() => killGroup(child), STOP_LIMIT_MS)
  await exited
  clearTimeout(killer)
}

function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
}

async function remoteServer(variant: Variant): Promise<RunningServer> {
  const url = new URL(variant.location ?? '')
  const target = { host: url.hostname, port: Number(url.port || 80) }
  if (!(await isHealthy(target))) throw new Error(`No healthy server at ${url.origin}`)
  const { pid } = variant
  return {
    variant,
    target,
    startMs: null,
    use: () => (pid === undefined ? null : readProcessUse(pid, null)),
    heap: () => Promise.resolve(null),
    mostOpenFiles: () => (pid === undefined ? null : readMostOpenFiles(pid)),
    halt: () => Promise.resolve(),
    startAgain: () => Promise.reject(new Error(`Cannot restart ${variant.name}: it is not ours`)),
    stop: () => Promise.resolve(),
  }
}
