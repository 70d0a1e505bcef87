/**
 * A map that forgets what was not used for long, so that it holds at most `capacity` entries.
 * Gateway thread. Two generations instead of an order of use: a hit on a young entry costs one
 * look-up, and when the young generation is full, what nobody asked for since the last turn goes.
 */
export class BoundedMap<Key, Value> {
  readonly #half: number
  #young = new Map<Key, Value>()
  #old = new Map<Key, Value>()

  constructor(capacity: number) {
    this.#half = Math.max(1, Math.floor(capacity / 2))
  }

  get(key: Key): Value | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: Key, value: Value): void {
    this.#young.set(key, value)
    if (this.#young.size <= this.#half) return
    this.#young.delete(key)
    this.#old = this.#young
    this.#young = new Map([[key, value]])
  }

  delete(key: Key): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  /** Drops every entry that the test names. O(entries). */
  deleteWhere(test: (value: Value) => boolean): void {
    for (const generation of [this.#young, this.#old]) {
      for (const [key, value] of generation) if (test(value)) generation.delete(key)
    }
  }
}
