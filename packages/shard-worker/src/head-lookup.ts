/**
 * Asks the log for the newest id of users whose first connection opens, many users a query, one
 * query at a time: ten thousand devices that come back at once cost a few dozen look-ups.
 */
import type { UserId } from '@bellwire/common'
import type { MessageStore } from './store/message-store.ts'

export interface HeadRequest {
  readonly userId: UserId
  /** `newest` is the newest id ever given out, `head` the user's newest, 0 for none. */
  found(head: number, newest: number): void
  failed(error: unknown): void
}

const USERS_PER_QUERY = 1_000

export class HeadLookup {
  readonly #store: MessageStore
  #waiting: HeadRequest[] = []
  #underWay = false

  constructor(store: MessageStore) {
    this.#store = store
  }

  request(request: HeadRequest): void {
    this.#waiting.push(request)
    this.#next()
  }

  #next(): void {
    if (this.#underWay || this.#waiting.length === 0) return
    this.#underWay = true
    // Whoever asks in this turn of the loop joins the query.
    setImmediate(() => {
      const batch = this.#waiting.splice(0, USERS_PER_QUERY)
      void this.#store
        .heads([...new Set(batch.map(({ userId }) => userId))])
        .then(
          ({ newest, byUser }) => {
            for (const request of batch) request.found(byUser.get(request.userId) ?? 0, newest)
          },
          (error: unknown) => {
            for (const request of batch) request.failed(error)
          },
        )
        .finally(() => {
          this.#underWay = false
          this.#next()
        })
    })
  }
}
