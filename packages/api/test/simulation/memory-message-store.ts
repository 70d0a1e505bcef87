/**
 * A MessageStore on a log in memory, where nothing happens before the simulation says so: each
 * commit, each look at the log and each answer is a step of its own. It keeps the contract of the
 * real store and is as hard to its users: writes share one pipelined connection that may break
 * with any part of them done, reads are answered in any order or fail.
 */
import { PushError, type ApplicationId, type UserId } from '@bellwire/common'
import {
  BatchError,
  UNKNOWN_PREVIOUS,
  type Heads,
  type MessageStore,
  type NewMessage,
  type Page,
  type Stored,
} from '@bellwire/shard-worker/testing'
import { DELETED_APPLICATION, type LogRow, type MemoryLog } from './memory-log.ts'

export interface MemoryStoreOptions {
  readonly log: MemoryLog
  /** True where other processes write to the log: rows come with the user's id before them. */
  readonly shared: boolean
  /** Asked when a batch is sent: the id before a row is told for these users only. */
  readonly isListening: (userId: UserId) => boolean
  readonly pageRows: number
  /** Characters of text in a page; it holds at least one message. */
  readonly pageBytes: number
}

/** A statement on the writing connection: done in order, answered in order. */
export interface Statement {
  readonly batch: readonly NewMessage[]
  execute(): void
  /** Null until executed. */
  answer: (() => void) | null
  readonly reject: (error: unknown) => void
}

interface Read {
  execute(): void
  answer: (() => void) | null
  readonly reject: (error: unknown) => void
}

export class MemoryMessageStore implements MessageStore {
  readonly #options: MemoryStoreOptions
  readonly #upListeners: (() => void)[] = []
  #pipeline: Statement[] = []
  #reads: Read[] = []
  #isUp = false

  constructor(options: MemoryStoreOptions) {
    this.#options = options
  }

  get isUp(): boolean {
    return this.#isUp
  }

  onUp(listener: () => void): void {
    this.#upListeners.push(listener)
  }

  prove(): Promise<void> {
    if (this.#isUp) return Promise.resolve()
    return Promise.reject(new BatchError('unknown', new Error('Not connected')))
  }

  insert(batch: readonly NewMessage[]): Promise<readonly Stored[]> {
    return new Promise((resolve, reject) => {
      if (!this.#isUp) throw new BatchError('unknown', new Error('Not connected'))
      this.#sendInsert(batch, resolve, reject)
    })
  }

  heads(userIds: readonly UserId[]): Promise<Heads> {
    const { log } = this.#options
    return this.#read(() => ({
      newest: log.newest,
      byUser: new Map(userIds.map((userId) => [userId, log.headOf(userId)])),
    }))
  }

  page(userId: UserId, after: number): Promise<Page> {
    return this.#read(() => this.#pageNow(userId, after))
  }

  application(
    _userId: UserId,
    applicationId: number,
  ): Promise<{ readonly name: string; readonly defaultPriority: number } | null> {
    const known = applicationId < DELETED_APPLICATION
    return this.#read(() => (known ? { name: 'named', defaultPriority: 4 } : null))
  }

  async close(): Promise<void> {
    this.lose()
  }

  // What the simulation does with it.

  /** Statements and reads that were answered. */
  answers = 0

  get reads(): number {
    return this.#reads.length
  }

  /** The connection is there; sessions before it must have ended. */
  connect(): void {
    this.#isUp = true
    for (const listener of this.#upListeners) listener()
  }

  /** Commits the oldest statement that is not committed. */
  executeNext(): void {
    this.#pipeline.find((statement) => statement.answer === null)?.execute()
  }

  /** Answers the oldest statement, if it was executed. */
  answerNext(): void {
    const answer = this.#pipeline[0]?.answer ?? null
    if (answer === null) return
    this.#pipeline.shift()
    this.answers++
    answer()
  }

  /** Lets one read look at the log, now. */
  executeRead(index: number): void {
    const read = this.#reads[index]
    if (read?.answer === null) read.execute()
  }

  answerRead(index: number): void {
    const read = this.#reads[index]
    if (read === undefined || read.answer === null) return
    this.#reads.splice(index, 1)
    this.answers++
    read.answer()
  }

  failRead(index: number): void {
    const [read] = this.#reads.splice(index, 1)
    read?.reject(new PushError('DATABASE_UNAVAILABLE', 'The reader connection broke'))
  }

  /**
   * The connections break, and every caller is told.
   * @returns what was sent and not executed: the database may still execute it, in order, until
   * the session has ended.
   */
  lose(): readonly Statement[] {
    const statements = this.#pipeline
    const reads = this.#reads
    const unfinished = this.die()
    for (const { reject } of statements) reject(new BatchError('unknown', new Error('Broken')))
    for (const { reject } of reads) reject(new PushError('DATABASE_UNAVAILABLE', 'Broken'))
    return unfinished
  }

  /** The same when the callers died with it. */
  die(): readonly Statement[] {
    const statements = this.#pipeline
    this.#isUp = false
    this.#pipeline = []
    this.#reads = []
    return statements.filter((statement) => statement.answer === null)
  }

  #sendInsert(
    batch: readonly NewMessage[],
    resolve: (stored: readonly Stored[]) => void,
    reject: (error: unknown) => void,
  ): void {
    const { shared, isListening } = this.#options
    const listening = new Set(batch.map(({ userId }) => userId).filter(isListening))
    const previousOf = (userId: UserId): number | null => {
      if (!shared) return null
      return listening.has(userId) ? this.#options.log.headOf(userId) : UNKNOWN_PREVIOUS
    }
    const statement: Statement = {
      batch,
      reject,
      answer: null,
      execute: () => {
        if (batch.some((row) => row.applicationId === (DELETED_APPLICATION as ApplicationId))) {
          statement.answer = () => reject(new BatchError('refused', new Error('No application')))
          return
        }
        const rows = batch.map((row) => this.#commit(row, previousOf(row.userId)))
        statement.answer = rows.every((stored) => stored !== null)
          ? () => resolve(rows)
          : () => this.#sendSelect(batch, rows, resolve, reject)
      },
    }
    this.#pipeline.push(statement)
  }

  /** The first messages under keys that were in the log: a second statement, as in PostgreSQL. */
  #sendSelect(
    batch: readonly NewMessage[],
    rows: readonly (Stored | null)[],
    resolve: (stored: readonly Stored[]) => void,
    reject: (error: unknown) => void,
  ): void {
    const statement: Statement = {
      batch: [],
      reject,
      answer: null,
      execute: () => {
        const stored = rows.map((own, index) => own ?? this.#repeat(batch[index]))
        statement.answer = () => resolve(stored)
      },
    }
    this.#pipeline.push(statement)
  }

  /** Null for a row whose key is in the log. */
  #commit(message: NewMessage, previousId: number | null): Stored | null {
    const { log } = this.#options
    if (log.firstUnder(message.applicationId, message.idempotencyKey) !== undefined) return null
    return { kind: 'new', id: log.append(message).id, previousId }
  }

  #repeat(message: NewMessage | undefined): Stored {
    if (message === undefined) throw new Error('A batch has as many answers as rows')
    const { log } = this.#options
    const first = log.firstUnder(message.applicationId, message.idempotencyKey)
    if (first === undefined) return { kind: 'key-freed' }
    const same = message.fingerprint !== null && first.fingerprint?.equals(message.fingerprint)
    return same === true ? { kind: 'repeat', first } : { kind: 'key-reused' }
  }

  #pageNow(userId: UserId, after: number): Page {
    const { log, pageRows, pageBytes } = this.#options
    const rows = log.rowsAfter(userId, after)
    const messages: LogRow[] = []
    let bytes = 0
    for (const row of rows) {
      bytes += row.message.length
      if (messages.length > 0 && (messages.length === pageRows || bytes > pageBytes)) break
      messages.push(row)
    }
    return { messages, atEnd: messages.length === rows.length }
  }

  #read<Result>(look: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (!this.#isUp) throw new PushError('DATABASE_UNAVAILABLE', 'Not connected')
      const read: Read = {
        reject,
        answer: null,
        execute: () => {
          const result = look()
          read.answer = () => resolve(result)
        },
      }
      this.#reads.push(read)
    })
  }
}
