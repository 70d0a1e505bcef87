/**
 * The log of record in PostgreSQL: inserts through one pipelined connection a thread, reads
 * through a small pool of their own so that they never wait in front of a commit.
 */
import { PushError, type UserId } from '@bellwire/common'
import { createPool, isUnavailable, shortageOf, toPushError } from '@bellwire/common/db/postgres'
import type pg from 'pg'
import { PROVE, PROVE_ROOM, SELECT_KEYED } from './insert-sql.ts'
import { AloneInserter, keyOf, SharedInserter, type Inserter } from './inserter.ts'
import { storedMessage, type MessageRow } from './message-row.ts'
import {
  BatchError,
  type Heads,
  type MessageStore,
  type NewMessage,
  type Page,
  type Stored,
} from './message-store.ts'
import { pageReads, type PageRow } from './page-reads.ts'
import { SELECT_APPLICATION, SELECT_HEADS } from './read-sql.ts'
import { NotConnectedError, WriterConnection, type WriterOptions } from './writer-connection.ts'

const READERS = 2

interface FirstRow extends MessageRow {
  readonly idempotency_key: string
  readonly idempotency_hash: Buffer | null
}

export interface PgMessageStoreOptions extends WriterOptions {
  /** Where the store is shared: true for users with connections here. */
  readonly isListening?: (userId: UserId) => boolean
}

export class PgMessageStore implements MessageStore {
  readonly #writer: WriterConnection
  readonly #readers: pg.Pool
  readonly #inserter: Inserter
  readonly #pages = pageReads((query) => this.#read<PageRow>(query))
  readonly #log: WriterOptions['log']
  /** What the database lacked when a write failed; null again once there is room for many. */
  #shortage: string | null = null
  /** Why a batch was refused last: told once, as it may go on for long. */
  #refusal = ''

  constructor(options: PgMessageStoreOptions) {
    this.#writer = new WriterConnection(options)
    this.#log = options.log
    const { exclusive, isListening } = options
    const write = this.#write.bind(this)
    this.#inserter = exclusive
      ? new AloneInserter(write)
      : new SharedInserter(write, isListening ?? everybody)
    this.#readers = createPool(options.connection, {
      name: `bellwire reader ${options.thread}`,
      max: READERS,
      onError: (error) => options.log.debug({ error: String(error) }, 'reader connection lost'),
    })
  }

  async start(): Promise<void> {
    await this.#writer.start()
  }

  get isUp(): boolean {
    return this.#writer.isUp
  }

  onUp(listener: () => void): void {
    this.#writer.onUp(listener)
  }

  async insert(batch: readonly NewMessage[]): Promise<readonly Stored[]> {
    if (batch[0]?.idempotencyKey !== '') return this.#insertKeyed(batch)
    const inserted = await this.#inserter.plain(batch)
    return inserted.map((row) => ({ kind: 'new', ...row }))
  }

  async heads(userIds: readonly UserId[]): Promise<Heads> {
    const { rows } = await this.#read<{ user_id: UserId; head: number | null; newest: number }>({
      ...SELECT_HEADS,
      values: [userIds],
    })
    const byUser = new Map<UserId, number>()
    let newest = 0
    for (const row of rows) {
      if (row.head !== null) byUser.set(row.user_id, row.head)
      newest = row.newest
    }
    return { newest, byUser }
  }

  page(userId: UserId, after: number): Promise<Page> {
    return this.#pages.read({ userId, after })
  }

  async application(
    userId: UserId,
    applicationId: number,
  ): Promise<{ readonly name: string; readonly defaultPriority: number } | null> {
    const { rows } = await this.#read<{ name: string; default_priority: number }>({
      ...SELECT_APPLICATION,
      values: [applicationId, userId],
    })
    const row = rows[0]
    return row === undefined ? null : { name: row.name, defaultPriority: row.default_priority }
  }

  async prove(): Promise<void> {
    if (this.#shortage === null) {
      await this.#write(PROVE)
      return
    }
    // A small row may still find a place where the next one does not: that is no end of it.
    await this.#write(PROVE_ROOM)
    this.#shortage = null
    this.#log.info('the database has room again')
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#readers.end()])
  }

  /**
   * A key of this batch may be in the log, or come twice in the batch: its first row is new, every
   * other answers with that first one. PostgreSQL waits for other sessions that hold the same key.
   */
  async #insertKeyed(batch: readonly NewMessage[]): Promise<readonly Stored[]> {
    const inserted = await this.#inserter.keyed(batch)
    const newRows = batch.map((row) => {
      const key = keyOf(row.applicationId, row.idempotencyKey)
      const own = inserted.get(key)
      inserted.delete(key)
      return own
    })
    const firsts = await this.#firstUnder(batch.filter((_, index) => newRows[index] === undefined))
    return batch.map((row, index): Stored => {
      const own = newRows[index]
      if (own !== undefined) return { kind: 'new', ...own }
      const first = firsts.get(keyOf(row.applicationId, row.idempotencyKey))
      // Deleted between the two statements: the sender's next try will store it.
      if (first === undefined) return { kind: 'key-freed' }
      if (row.fingerprint === null || first.idempotency_hash?.equals(row.fingerprint) !== true) {
        return { kind: 'key-reused' }
      }
      return { kind: 'repeat', first: storedMessage(first) }
    })
  }

  async #firstUnder(repeats: readonly NewMessage[]): Promise<ReadonlyMap<string, FirstRow>> {
    if (repeats.length === 0) return new Map()
    const firsts = await this.#write({
      ...SELECT_KEYED,
      values: [repeats.map((row) => row.applicationId), repeats.map((row) => row.idempotencyKey)],
    })
    const rows = firsts.rows as FirstRow[]
    return new Map(rows.map((row) => [keyOf(row.application_id, row.idempotency_key), row]))
  }

  async #write(
    query: pg.QueryConfig & { rowMode?: 'array' },
  ): Promise<{ readonly rows: readonly unknown[] }> {
    try {
      return await this.#writer.query(query)
    } catch (error) {
      this.#noticeShortage(error)
      const sent = !(error instanceof NotConnectedError)
      // Either way the caller may try again; that nothing was sent is not told apart.
      const outcome = !sent || isUnavailable(error) ? 'unknown' : 'refused'
      // PostgreSQL itself may be down for want of room: then that is why there is no connection.
      const shortage = outcome === 'unknown' ? this.#shortage : null
      if (outcome === 'refused') this.#noticeRefusal(error)
      throw new BatchError(outcome, error, shortage)
    }
  }

  #noticeRefusal(error: unknown): void {
    const refusal = String(error)
    if (refusal === this.#refusal) return
    this.#refusal = refusal
    this.#log.error({ error: refusal }, 'the database refused a batch')
  }

  #noticeShortage(error: unknown): void {
    const shortage = shortageOf(error)
    if (shortage !== null && this.#shortage === null) {
      this.#log.error({ error: String(error) }, `${shortage}: publishes are refused`)
    }
    this.#shortage = shortage ?? this.#shortage
  }

  async #read<Row extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<pg.QueryResult<Row>> {
    if (!this.isUp) throw new PushError('DATABASE_UNAVAILABLE', 'the database is not reachable')
    try {
      return await this.#readers.query<Row>(query)
    } catch (error) {
      throw toPushError(error)
    }
  }
}

function everybody(): boolean {
  return true
}
