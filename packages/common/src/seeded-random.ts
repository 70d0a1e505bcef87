/**
 * Random numbers that follow from a seed alone, so that a run can be repeated: for the simulation
 * and the proof. No program that serves imports this file.
 */
export class SeededRandom {
  #state: number

  /** @param seed a whole number of 32 bits; neighbouring seeds give unlike numbers */
  constructor(seed: number) {
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 0
  }

  /** From 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** Undefined for an empty list. */
  pick<Item>(list: readonly Item[]): Item | undefined {
    return list[this.below(list.length)]
  }

  /** One of several values that are there for sure. */
  oneOf<Item>(first: Item, ...others: readonly Item[]): Item {
    return this.pick([first, ...others]) ?? first
  }

  shuffled<Item>(items: readonly Item[]): Item[] {
    return items
      .map((item) => ({ item, order: this.next() }))
      .sort((a, b) => a.order - b.order)
      .map(({ item }) => item)
  }
}
