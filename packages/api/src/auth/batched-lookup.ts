/**
 * Reads rows by a key for many requests with one query: what is asked for while one query is under
 * way goes into the next one. So ten thousand devices that return cost some dozen look-ups of their
 * tokens, and a publish among them does not wait behind thousands. Gateway thread.
 */

/** Short answers, and little that fails together. */
const KEYS_PER_QUERY = 500

interface Request<Row> {
  readonly key: Buffer
  readonly found: (row: Row | null) => void
  readonly failed: (error: unknown) => void
}

export class BatchedLookup<Row> {
  readonly #query: (keys: readonly Buffer[]) => Promise<readonly Row[]>
  readonly #keyOf: (row: Row) => Buffer | null
  readonly #waiting: Request<Row>[] = []
  #underWay = false

  /**
   * @param query rows that have one of the keys, in any order
   * @param keyOf the key of a row
   */
  constructor(
    query: (keys: readonly Buffer[]) => Promise<readonly Row[]>,
    keyOf: (row: Row) => Buffer | null,
  ) {
    this.#query = query
    this.#keyOf = keyOf
  }

  /** The row with the key, null if there is none. @throws what the query throws, for every key in it */
  find(key: Buffer): Promise<Row | null> {
    return new Promise((found, failed) => {
      this.#waiting.push({ key, found, failed })
      this.#next()
    })
  }

  #next(): void {
    if (this.#underWay || this.#waiting.length === 0) return
    this.#underWay = true
    // Whoever asks in this turn of the loop joins the query.
    setImmediate(() => {
      void this.#read(this.#waiting.splice(0, KEYS_PER_QUERY)).finally(() => {
        this.#underWay = false
        this.#next()
      })
    })
  }

  async #read(requests: readonly Request<Row>[]): Promise<void> {
    try {
      const rows = await this.#query(requests.map(({ key }) => key))
      const byKey = new Map(rows.map((row) => [this.#keyOf(row)?.toString('latin1'), row]))
      for (const { key, found } of requests) found(byKey.get(key.toString('latin1')) ?? null)
    } catch (error) {
      for (const { failed } of requests) failed(error)
    }
  }
}
