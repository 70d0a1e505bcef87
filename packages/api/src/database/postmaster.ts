/**
 * One run of the PostgreSQL server program, from its start to its end. The embedded server
 * (embedded-postgres.ts) starts the next one when it ends unasked.
 */
import type { Site } from './data-folder.ts'
import { readLockFile } from './lock-file.ts'
import { launch, type LaunchedProgram } from './postgres-account.ts'
import { PostgresLog, type DatabaseLogger } from './postgres-log.ts'
import { postgresArguments } from './postgres-settings.ts'

/** PostgreSQL writes everything out and ends; open transactions are rolled back. */
const FAST_STOP_MS = 15_000
/** It ends at once; the next start recovers from the log, so nothing committed is lost. */
const IMMEDIATE_STOP_MS = 5_000
const POLL_MS = 10
const SLOW_START_MS = 10_000

/** Resolves when the program runs; use `ready()` before connecting. */
export async function startPostmaster(site: Site, log: DatabaseLogger): Promise<Postmaster> {
  const { binaries, account, dataFolder, socketFolder } = site
  const args = postgresArguments(site)
  const paths = [...binaries.samples, dataFolder, socketFolder]
  const left = await readLockFile(dataFolder)
  const child = await launch(binaries.postgres, args, account, paths)
  return new Postmaster(child, site, log, left?.writtenAt)
}

export class Postmaster {
  readonly #child: LaunchedProgram
  readonly #output: PostgresLog
  readonly #site: Site
  readonly #log: DatabaseLogger
  readonly #leftAt: bigint | undefined
  #ended = false
  /** Resolves, never rejects, with the reason in words once the program has ended. */
  readonly ended: Promise<string>

  /** @param leftAt When the lock file of a killed server was written, where one lies there. */
  constructor(child: LaunchedProgram, site: Site, log: DatabaseLogger, leftAt?: bigint) {
    this.#child = child
    this.#site = site
    this.#log = log
    this.#leftAt = leftAt
    this.#output = new PostgresLog(child.stderr, log)
    this.ended = new Promise((resolve) => {
      const end = (reason: string) => {
        this.#ended = true
        resolve(reason)
      }
      child.once('error', (error) => end(error.message))
      // Not 'exit': by now the last lines are read, and no orphan of a killed server lives on.
      child.once('close', (code, signal) => end(this.#reason(code, signal)))
    })
  }

  /**
   * Resolves when connections are accepted. No time limit: after a crash the log is replayed first.
   * @throws {Error} The program ended; the message is PostgreSQL's reason.
   */
  async ready(): Promise<void> {
    let nextNote = performance.now() + SLOW_START_MS
    while (!this.#ended) {
      const lock = await readLockFile(this.#site.dataFolder)
      // In a container the killed server may well have had the number that this one has.
      const own = lock !== null && lock.pid === this.#child.pid && lock.writtenAt !== this.#leftAt
      if (own && lock.ready) return
      if (performance.now() > nextNote) {
        this.#log.info('PostgreSQL is still starting, it replays its log after a crash')
        nextNote += SLOW_START_MS
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
    throw new Error(await this.ended)
  }

  /** Ends the program and waits for it; takes 20 s at most. */
  async stop(): Promise<void> {
    this.#output.expectEnd = true
    for (const [signal, timeoutMs] of STOP_STEPS) {
      if (this.#ended) return
      this.#child.kill(signal)
      await Promise.race([this.ended, sleepUnheld(timeoutMs)])
    }
    await this.ended
  }

  /** For the end of this process: asks, without waiting. */
  askToStop(): void {
    this.#output.expectEnd = true
    if (!this.#ended) this.#child.kill('SIGINT')
  }

  #reason(code: number | null, signal: NodeJS.Signals | null): string {
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`
    return this.#output.reason() || `it ended with ${how}`
  }
}

const STOP_STEPS: readonly (readonly [NodeJS.Signals, number])[] = [
  ['SIGINT', FAST_STOP_MS],
  ['SIGQUIT', IMMEDIATE_STOP_MS],
  ['SIGKILL', IMMEDIATE_STOP_MS],
]

/** A pause that doesn't keep the process alive. */
function sleepUnheld(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
