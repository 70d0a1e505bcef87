/**
 * Reads of the log that failed, kept until they may succeed: when the database comes back, or a
 * short while later where only a reading connection broke. Nothing is lost by waiting, since
 * cursors stay where they are. Runs on the shard's worker thread, behind catch-up and head lookup.
 */
import type { MessageStore } from './store/message-store.ts'

const RETRY_MS = 100

export class Retries {
  readonly #store: MessageStore
  #waiting: (() => void)[] = []
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor(store: MessageStore) {
    this.#store = store
    store.onUp(() => this.#runAll())
  }

  /** Calls back once, never at once. */
  later(retry: () => void): void {
    if (this.#closed) return
    this.#waiting.push(retry)
    if (!this.#store.isUp || this.#timer !== null) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#runAll()
    }, RETRY_MS)
  }

  close(): void {
    this.#closed = true
    this.#waiting = []
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #runAll(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const retry of waiting) retry()
  }
}
