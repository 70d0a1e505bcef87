/**
 * When a member that ended is started again: at once after one that had listened, later and later
 * after one that had not. Pure; the primary asks it.
 */

const WINDOW_MS = 60_000
const MOST_DEATHS = 10
const FIRST_DELAY_MS = 50
const LAST_DELAY_MS = 2_000

export class RestartPolicy {
  /** When members died before they listened, within the window. */
  #deaths: number[] = []
  #inARow = 0

  /** A member listens. */
  listened(): void {
    this.#inARow = 0
  }

  /**
   * A member died.
   * @param now milliseconds of a clock that never goes back
   * @returns milliseconds to wait before the next start
   */
  died(hadListened: boolean, now: number): number {
    this.#forget(now)
    if (hadListened) return 0
    this.#deaths.push(now)
    const delay = FIRST_DELAY_MS * 2 ** this.#inARow
    this.#inARow++
    return Math.min(delay, LAST_DELAY_MS)
  }

  /** True after ten deaths before listening within the last minute. */
  isLoop(now: number): boolean {
    this.#forget(now)
    return this.#deaths.length >= MOST_DEATHS
  }

  /** What is long ago says nothing about a member that dies now. */
  #forget(now: number): void {
    this.#deaths = this.#deaths.filter((at) => now - at < WINDOW_MS)
  }
}
