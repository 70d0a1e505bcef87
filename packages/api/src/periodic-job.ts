/** Work that is done again and again, never twice at once. Main thread. */

export interface PeriodicJob {
  /** Ends the job; resolves when a run under way is through. */
  stop(): Promise<void>
}

/** @param onError told of a run that failed; the next one does its work */
export function startPeriodicJob(
  run: () => Promise<void>,
  periodMs: number,
  onError: (error: unknown) => void,
): PeriodicJob {
  let running: Promise<void> | null = null
  const timer = setInterval(() => {
    running ??= run()
      .catch(onError)
      .finally(() => (running = null))
  }, periodMs)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}
