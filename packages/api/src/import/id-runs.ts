/** A set of ids as runs of consecutive ones: the messages of a Gotify are a few long runs. Pure. */

export interface IdRun {
  readonly first_id: number
  readonly last_id: number
}

export class IdRuns {
  /** Ascending, apart. */
  readonly #runs: readonly IdRun[]

  constructor(runs: Iterable<IdRun>) {
    this.#runs = merge([...runs].sort((a, b) => a.first_id - b.first_id))
  }

  get runs(): readonly IdRun[] {
    return this.#runs
  }

  has(id: number): boolean {
    let [low, high] = [0, this.#runs.length - 1]
    while (low <= high) {
      const middle = (low + high) >> 1
      const run = this.#runs[middle]
      if (run === undefined || id < run.first_id) high = middle - 1
      else if (id > run.last_id) low = middle + 1
      else return true
    }
    return false
  }
}

function merge(ascending: readonly IdRun[]): readonly IdRun[] {
  const merged: IdRun[] = []
  for (const run of ascending) {
    const last = merged.at(-1)
    if (last === undefined || run.first_id > last.last_id + 1) merged.push(run)
    else merged[merged.length - 1] = { ...last, last_id: Math.max(last.last_id, run.last_id) }
  }
  return merged
}
