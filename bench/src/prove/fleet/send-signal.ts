/** Signals to processes that may be gone already, as is the way of those that get them here. */

/** @returns false when there is no such process any more */
export function send(pid: number | undefined, signal: NodeJS.Signals): boolean {
  try {
    return pid !== undefined && process.kill(pid, signal)
  } catch {
    return false
  }
}
