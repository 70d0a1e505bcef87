/** Work that is done again and again, never twice at once. Main thread. */
import { setTimeout as sleep } from 'node:timers/promises'

/** Far longer than a statement of a run takes; only a database that hangs takes more. */
const LAST_STATEMENT_MS = 1_000

export interface PeriodicJob {
  /** Ends the job; resolves when a run under way has seen it, after a second at the latest. */
  stop(): Promise<void>
}

/**
 * @param run ends early, with work undone, once the signal is aborted
 * @param onError told of a run that failed; the next one does its work
 */
export function startPeriodicJob(
  run: (stopped: AbortSignal) => Promise<void>,
  periodMs: number,
  onError: (error: unknown) => void,
): PeriodicJob {
  const stopping = new AbortController()
  const stopped = stopping.signal
  let running: Promise<void> | null = null
  const timer = setInterval(() => {
    running ??= run(stopped)
      .catch((error: unknown) => {
        // A run that was left behind loses its connection.
        if (!stopped.aborted) onError(error)
      })
      .finally(() => (running = null))
  }, periodMs)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      stopping.abort()
      if (running !== null) await Promise.race([running, sleep(LAST_STATEMENT_MS)])
    },
  }
}
