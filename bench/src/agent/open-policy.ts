/** How a pool of subscribers opens its sockets, and when it tries again after a refusal. */

export interface OpenPolicy {
  /** Upgrades under way at a time. */
  readonly concurrency: number
  /** After so many refusals a socket is given up. */
  readonly attempts: number
  /** Milliseconds to wait after the refusal of `attempt`, 1 for the first; 0: before the first attempt. */
  pauseMs(attempt: number, retryAfterSeconds: number | null): number
}

const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 15_000

/** As soon as it goes: for load, not for a client's view. */
export function eager(concurrency: number): OpenPolicy {
  return { concurrency, attempts: 5, pauseMs: (attempt) => 100 * attempt }
}

/** What a careful client does: pauses drawn at random below a bound that doubles, never shorter than Retry-After. */
export function patient(random: () => number = Math.random): OpenPolicy {
  return {
    concurrency: Number.POSITIVE_INFINITY,
    attempts: 20,
    pauseMs: (attempt, retryAfterSeconds) => {
      const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, attempt - 1))
      // Beside what the server asks for only its last second is spread: the server spreads the rest.
      return retryAfterSeconds === null
        ? random() * bound
        : retryAfterSeconds * 1000 + random() * FIRST_PAUSE_MS
    },
  }
}
