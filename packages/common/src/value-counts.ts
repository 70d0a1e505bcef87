/**
 * Counts values by size, as the histograms of GET /metrics show them. Each publish is counted on
 * two threads, so to count must cost next to nothing, and what a worker has counted travels as a
 * few numbers. Any thread.
 */

/** Milliseconds. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 50, 100, 250, 500, 1_000, 2_500, 5_000,
]
export const BATCH_ROW_BOUNDS: readonly number[] = [1, 2, 5, 10, 20, 35, 50, 75, 96]

export interface Counted {
  /** How many lie above the bound before and not above this one; the last: above every bound. */
  readonly counts: readonly number[]
  readonly sum: number
}

export class ValueCounts {
  /** Ascending. */
  readonly bounds: readonly number[]
  #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.#counts = zeros(bounds)
  }

  get counted(): Counted {
    return { counts: this.#counts, sum: this.#sum }
  }

  count(value: number): void {
    const { bounds } = this
    let place = 0
    while (place < bounds.length && value > (bounds[place] ?? 0)) place++
    this.#counts[place] = (this.#counts[place] ?? 0) + 1
    this.#sum += value
  }

  /** Adds what another one with the same bounds has counted. */
  add({ counts, sum }: Counted): void {
    this.#counts = this.#counts.map((count, place) => count + (counts[place] ?? 0))
    this.#sum += sum
  }

  /** Gives away what was counted and begins anew. */
  take(): Counted {
    const taken = this.counted
    this.#counts = zeros(this.bounds)
    this.#sum = 0
    return taken
  }
}

function zeros(bounds: readonly number[]): number[] {
  return new Array<number>(bounds.length + 1).fill(0)
}
