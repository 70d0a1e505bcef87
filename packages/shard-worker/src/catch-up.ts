/**
 * Reads the log for connections and users that are behind it. A connection is behind after it was
 * slow, or because it asked for older messages; a user is behind when another process committed
 * or the outcome of a batch was lost. Reads go through their own database connections, so they
 * never delay a commit, and only so many at a time.
 */
import type { ConnectionNumber, UserId } from '@bellwire/common'
import { fanOut, frameOfStored } from './fan-out.ts'
import type { Outbox } from './outbox.ts'
import type { Retries } from './retries.ts'
import type { MessageStore } from './store/message-store.ts'
import { Capture, type UserState } from './user-state.ts'

/** Pages that may be on their way from the log; the store reads many of them with one query. */
const READS_AT_ONCE = 64

export class CatchUp {
  readonly #store: MessageStore
  readonly #outbox: Outbox
  readonly #retries: Retries
  readonly #queue: (() => Promise<void>)[] = []
  #running = 0
  #closed = false

  constructor(store: MessageStore, outbox: Outbox, retries: Retries) {
    this.#store = store
    this.#outbox = outbox
    this.#retries = retries
  }

  /**
   * Sends one page of the log to a connection. The page that reaches the head makes it live with
   * no gap: what is handed on while the page is read is captured and sent behind it.
   */
  readPage(
    shard: number,
    userId: UserId,
    user: UserState,
    connection: ConnectionNumber,
    cursor: number,
  ): void {
    if (!user.has(connection)) return
    // Off the live list at once: from here on its frames come by page only.
    user.markBehind(connection, null)
    this.#enqueue(async () => {
      if (!user.has(connection)) return
      const capture = new Capture()
      user.markBehind(connection, capture)
      const page = await this.#store.page(userId, cursor).catch(() => null)
      if (!user.has(connection)) return
      if (page === null) {
        user.markBehind(connection, null)
        this.#retries.later(() => this.readPage(shard, userId, user, connection, cursor))
        return
      }
      let last = cursor
      for (const message of page.messages) {
        const frame = frameOfStored(message)
        this.#outbox.write(shard, { kind: 'page-row', connection, messageId: message.id, frame })
        last = message.id
      }
      const atHead = page.atEnd && !capture.overflowed
      if (atHead) {
        for (const { id, frame } of capture.frames) {
          if (id > last) {
            this.#outbox.write(shard, { kind: 'page-row', connection, messageId: id, frame })
          }
        }
        user.markLive(connection)
      }
      this.#outbox.write(shard, { kind: 'page-end', connection, atHead })
      this.#outbox.ring()
    })
  }

  /** Reads the log for the live connections of a user until everything heard of was handed on. */
  readUser(shard: number, userId: UserId, user: UserState): void {
    if (user.reading) return
    user.reading = true
    this.#enqueue(() => this.#readOn(shard, userId, user))
  }

  async #readOn(shard: number, userId: UserId, user: UserState): Promise<void> {
    user.inDoubt = false
    // A deleted message leaves no row: what was heard of before the read is behind us after it.
    const target = user.highestSeen
    const page = await this.#store.page(userId, user.lastId).catch(() => null)
    if (page === null) {
      this.#retries.later(() => this.#enqueue(() => this.#readOn(shard, userId, user)))
      return
    }
    for (const message of page.messages) {
      fanOut(this.#outbox, shard, user, 0, message.id, frameOfStored(message))
    }
    this.#outbox.ring()
    if (page.atEnd && target > user.lastId) user.lastId = target
    const unread = !page.atEnd || user.inDoubt || user.highestSeen > user.lastId
    if (user.connections.length > 0 && unread) {
      this.#enqueue(() => this.#readOn(shard, userId, user))
      return
    }
    user.reading = false
  }

  #enqueue(read: () => Promise<void>): void {
    this.#queue.push(read)
    this.#next()
  }

  #next(): void {
    if (this.#closed || this.#running >= READS_AT_ONCE) return
    const read = this.#queue.shift()
    if (read === undefined) return
    this.#running++
    void this.#outbox
      .room()
      .then(read)
      .finally(() => {
        this.#running--
        this.#next()
      })
  }

  close(): void {
    this.#closed = true
    this.#queue.length = 0
  }
}
