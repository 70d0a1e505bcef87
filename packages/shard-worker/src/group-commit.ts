/**
 * Gathers publishes of all shards of this thread into commits. There is no timer: while one batch
 * commits the next one gathers, so a lone publish waits for nothing and a busy thread commits
 * many at once. Two batches may be under way, which keeps the database busy while the answers
 * of the first are handed out (measured in bench/: one convoy less).
 */
import { monotonicMs } from '@bellwire/common'
import {
  BatchError,
  type MessageStore,
  type NewMessage,
  type Stored,
} from './store/message-store.ts'

/** A checked publish on its way into the log. */
export interface PendingPublish {
  readonly message: NewMessage
  /** When the gateway had its request, as monotonicMs() tells it. */
  readonly receivedAt: number
  /** Called after the commit, along the batch. */
  committed(stored: Stored): void
  /** Called when it was not stored, or nobody knows. */
  failed(error: BatchError): void
}

export interface GroupCommitLimits {
  /** Rows that are worth a commit of their own: they do not wait for flush(). */
  readonly eagerRows: number
  /**
   * A greater batch costs less a row, but its publishers all wait for it and all come back at once:
   * then the gateway has nothing to do, and afterwards the database.
   */
  readonly maxRows: number
  readonly maxBytes: number
  readonly maxInFlight: number
  /** Bytes that may wait; above it the thread takes no more commands. */
  readonly maxWaitingBytes: number
}

export const DEFAULT_LIMITS: GroupCommitLimits = {
  eagerRows: 32,
  maxRows: 96,
  maxBytes: 4_194_304,
  maxInFlight: 2,
  maxWaitingBytes: 16_777_216,
}

export interface GroupCommitListener {
  /**
   * Told of each commit, for metrics: how long the store took, and how long each of its publishes
   * was under way until then. Milliseconds.
   */
  batch(milliseconds: number, publishMs: readonly number[]): void
  /** A whole batch has been told its outcome: time to wake whoever waits for the answers. */
  settled(): void
}

type Kind = 'plain' | 'keyed'

export class GroupCommit {
  readonly #store: MessageStore
  readonly #limits: GroupCommitLimits
  readonly #listener: GroupCommitListener
  /** Resolves when the outcome of every batch sent so far was told. */
  #told: Promise<unknown> = Promise.resolve()
  /** Rows with a key take another statement: they gather apart, and the two take turns. */
  readonly #waiting: Record<Kind, PendingPublish[]> = { plain: [], keyed: [] }
  #next: Kind = 'plain'
  #waitingBytes = 0
  #inFlight = 0
  #roomListeners: (() => void)[] = []

  constructor(store: MessageStore, limits: GroupCommitLimits, listener: GroupCommitListener) {
    this.#store = store
    this.#limits = limits
    this.#listener = listener
  }

  get full(): boolean {
    return this.#waitingBytes > this.#limits.maxWaitingBytes
  }

  get idle(): boolean {
    return this.#inFlight === 0 && this.#waitingRows === 0
  }

  /** Resolves when more may be added. */
  room(): Promise<void> {
    if (!this.full) return Promise.resolve()
    return new Promise((resolve) => this.#roomListeners.push(resolve))
  }

  /** Adds a publish to the batch that gathers; few are not sent before flush(). */
  add(publish: PendingPublish): void {
    this.#waiting[publish.message.idempotencyKey === '' ? 'plain' : 'keyed'].push(publish)
    this.#waitingBytes += sizeOf(publish.message)
    if (this.#waitingRows >= this.#limits.eagerRows) this.flush()
  }

  /**
   * Counts the bytes of a publish that is not checked yet as waiting, so that these are bounded too.
   * @returns what ends it, to be called once.
   */
  reserve(byteLength: number): () => void {
    this.#waitingBytes += byteLength
    return () => {
      this.#waitingBytes -= byteLength
      this.#tellRoom()
    }
  }

  /** Sends what has gathered, if a batch may start now; call it once after a group of adds. */
  flush(): void {
    while (this.#waitingRows > 0 && this.#inFlight < this.#limits.maxInFlight) {
      this.#commit(this.#takeBatch())
    }
  }

  get #waitingRows(): number {
    return this.#waiting.plain.length + this.#waiting.keyed.length
  }

  #takeBatch(): readonly PendingPublish[] {
    const { maxRows, maxBytes } = this.#limits
    const other = this.#next === 'plain' ? 'keyed' : 'plain'
    const kind = this.#waiting[this.#next].length > 0 ? this.#next : other
    this.#next = kind === 'plain' ? 'keyed' : 'plain'
    const all = this.#waiting[kind]
    let rows = 0
    let bytes = 0
    for (const { message } of all) {
      const size = sizeOf(message)
      if (rows > 0 && (rows >= maxRows || bytes + size > maxBytes)) break
      bytes += size
      rows++
    }
    const batch = rows === all.length ? all : all.slice(0, rows)
    this.#waiting[kind] = rows === all.length ? [] : all.slice(rows)
    this.#waitingBytes -= bytes
    return batch
  }

  #commit(batch: readonly PendingPublish[]): void {
    this.#inFlight++
    const start = monotonicMs()
    const tell = this.#store.insert(batch.map((publish) => publish.message)).then(
      (results) => () => {
        const now = monotonicMs()
        const publishMs = batch.map(({ receivedAt }) => now - receivedAt)
        this.#listener.batch(now - start, publishMs)
        this.#committed(batch, results)
      },
      (error: unknown) => () => this.#failed(batch, asBatchError(error)),
    )
    // A batch of one statement may be answered before an earlier one of two: ids would come out of
    // order.
    this.#told = Promise.all([tell, this.#told]).then(([tellOutcome]) => {
      tellOutcome()
      this.#inFlight--
      this.#listener.settled()
      this.flush()
      this.#tellRoom()
    })
  }

  #committed(batch: readonly PendingPublish[], results: readonly Stored[]): void {
    batch.forEach((publish, index) => {
      const stored = results[index]
      if (stored === undefined) publish.failed(new BatchError('unknown', 'No answer for a row'))
      else publish.committed(stored)
    })
  }

  /** One bad row must not fail its neighbours: a refused batch is tried again row by row. */
  #failed(batch: readonly PendingPublish[], error: BatchError): void {
    if (error.outcome === 'refused' && batch.length > 1) {
      for (const publish of batch) this.#commit([publish])
      return
    }
    for (const publish of batch) publish.failed(error)
  }

  #tellRoom(): void {
    if (this.full || this.#roomListeners.length === 0) return
    const listeners = this.#roomListeners
    this.#roomListeners = []
    for (const resolve of listeners) resolve()
  }
}

function asBatchError(error: unknown): BatchError {
  return error instanceof BatchError ? error : new BatchError('unknown', error)
}

/** Rough size of a row in bytes: what a batch is bounded by. */
function sizeOf(message: NewMessage): number {
  return 100 + message.title.length + message.message.length + (message.extras?.length ?? 0)
}
