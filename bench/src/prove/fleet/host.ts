/**
 * One Bellwire of the fleet: a process on a port of its own that is started again whenever it ends, by whatever cause.
 * What ended it without being asked is written into the history, and is a violation.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '../../server/child-environment.ts'
import { membersOf } from '../../server/members-of.ts'
import { BELLWIRE_MAIN } from '../../server/paths.ts'
import { rememberProcess } from '../../server/running-record.ts'
import { nowUs, sleep } from '../../wire/clock.ts'
import type { Ending } from '../check/history.ts'
import { send } from './send-signal.ts'

const WORKER_KILLER = fileURLToPath(new URL('./worker-killer.js', import.meta.url))
const HEALTH_PAUSE_MS = 50
/** Before a start that follows one that failed, as when the database was away. */
const RETRY_MS = 200
const STOP_LIMIT_MS = 25_000

export interface HostOptions {
  readonly number: number
  readonly port: number
  /** GOTIFY_SERVER_CLUSTER_PROCESSES: with more than 1 it is a primary and its members. */
  readonly members: number
  /** GOTIFY_DATABASE_CONNECTION. */
  readonly connection: string
  readonly workDir: string
  readonly logFile: string
  /** The database was out of reach while it had to stop, so that it could not finish what it had accepted. */
  readonly couldNotFinish: () => boolean
  /** Told of every end. */
  readonly onEnd: (ending: Ending) => void
}

export class Host {
  readonly #options: HostOptions
  #child: ChildProcess | null = null
  #hints: 'postgres' | 'none' = 'postgres'
  /** It has answered since it was last started, so an end is no failed start any more. */
  #hasListened = false
  #asked = false
  readonly #frozen = new Set<number>()
  #pauseMs = 0
  #stopping = false
  #running: Promise<void> = Promise.resolve()

  constructor(options: HostOptions) {
    this.#options = options
    mkdirSync(options.workDir, { recursive: true })
  }

  get port(): number {
    return this.#options.port
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Resolves when it is healthy. @returns false when it is not in time */
  async healthy(limitMs: number): Promise<boolean> {
    const deadline = nowUs() + limitMs * 1000
    while (nowUs() < deadline) {
      if (await this.#isHealthy()) return true
      await sleep(HEALTH_PAUSE_MS)
    }
    return false
  }

  /** Ends it at once, or one of its members, as `which` falls. @returns false when it is not up */
  kill(which: number, pauseMs: number): boolean {
    const pids = this.#pids()
    const pid = pids[which % pids.length]
    if (!this.#hasListened || pid === undefined) return false
    return pid === pids[0] ? this.#end('SIGKILL', pauseMs) : send(pid, 'SIGKILL')
  }

  /** Asks it to stop; it comes back by itself. @returns false when it is not up */
  restart(pauseMs: number): boolean {
    return this.#end('SIGTERM', pauseMs)
  }

  /** GOTIFY_SERVER_CLUSTER_HINTS from its next start on. */
  useHints(hints: 'postgres' | 'none'): void {
    this.#hints = hints
  }

  /** Ends a shard worker of it, or of one of its members. @returns false when it is not up */
  killWorker(which: number): boolean {
    const pids = this.#pids()
    const hosting = this.#options.members > 1 ? pids.slice(1) : pids
    return this.#hasListened && send(hosting[which % hosting.length], 'SIGUSR2')
  }

  /** Stops it, or one of its members, as `which` falls. @returns false when it is not up */
  freeze(which: number): boolean {
    const pids = this.#pids()
    const pid = pids[which % pids.length]
    if (!this.#hasListened || pid === undefined) return false
    this.#frozen.add(pid)
    return send(pid, 'SIGSTOP')
  }

  /** Also a member whose primary has died meanwhile. */
  thaw(): void {
    for (const pid of this.#frozen) send(pid, 'SIGCONT')
    this.#frozen.clear()
  }

  /** Stops it for good. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.thaw()
    this.#end('SIGTERM', 0)
    const late = setTimeout(() => this.#signal('SIGKILL'), STOP_LIMIT_MS)
    await this.#running
    clearTimeout(late)
  }

  #end(signal: NodeJS.Signals, pauseMs: number): boolean {
    if (!this.#hasListened && !this.#stopping) return false
    this.#asked = true
    this.#pauseMs = pauseMs
    return this.#signal(signal)
  }

  #signal(signal: NodeJS.Signals): boolean {
    return this.#child?.kill(signal) ?? false
  }

  /** Its own process, then those of its members. */
  #pids(): number[] {
    const pid = this.#child?.pid
    if (pid === undefined) return []
    return this.#options.members > 1 ? [pid, ...membersOf(pid)] : [pid]
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const child = this.#spawn()
      const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
      void this.#watch(child)
      const [code, signal] = await ended
      this.#child = null
      const how = String(signal ?? code)
      const asked = this.#isAsked(how)
      this.#options.onEnd({ host: this.#options.number, at: nowUs() / 1000, how, asked })
      await sleep(this.#hasListened ? this.#pauseMs : RETRY_MS)
    }
  }

  #isAsked(how: string): boolean {
    // A start may fail while its database is away, and says so; one that has listened goes on.
    if (!this.#asked) return !this.#hasListened && how === '1'
    if (how === '1' && this.#options.couldNotFinish()) return true
    return how === '0' || how === 'SIGKILL' || !this.#hasListened
  }

  #spawn(): ChildProcess {
    const { port, connection, workDir, logFile } = this.#options
    const log = openSync(logFile, 'a')
    this.#hasListened = false
    this.#asked = false
    this.#child = spawn(process.execPath, ['--import', WORKER_KILLER, BELLWIRE_MAIN], {
      cwd: workDir,
      stdio: ['ignore', log, log],
      env: childEnvironment({
        GOTIFY_SERVER_PORT: String(port),
        GOTIFY_SERVER_LISTENADDR: '127.0.0.1',
        GOTIFY_DATABASE_DIALECT: 'postgres',
        GOTIFY_DATABASE_CONNECTION: connection,
        GOTIFY_DATADIR: `${workDir}/data`,
        GOTIFY_PASSSTRENGTH: '4',
        GOTIFY_SERVER_CLUSTER_PROCESSES: String(this.#options.members),
        GOTIFY_SERVER_CLUSTER_HINTS: this.#hints,
        GOTIFY_SERVER_STREAM_SHARDTHREADS: '2',
        GOTIFY_SERVER_STREAM_PINGPERIODSECONDS: '5',
      }),
    })
    closeSync(log)
    rememberProcess(this.#child.pid ?? 0)
    return this.#child
  }

  async #watch(child: ChildProcess): Promise<void> {
    while (child === this.#child && !this.#hasListened) {
      if ((await this.#answers()) && child === this.#child) this.#hasListened = true
      else await sleep(HEALTH_PAUSE_MS)
    }
  }

  /** It listens; whether all is well does not matter. */
  async #answers(): Promise<boolean> {
    return (await this.#health()) !== 0
  }

  async #isHealthy(): Promise<boolean> {
    return (await this.#health()) === 200
  }

  async #health(): Promise<number> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.port}/health/ready`)
      await answer.arrayBuffer()
      return answer.status
    } catch {
      // Refused or broken: it is not there.
      return 0
    }
  }
}
