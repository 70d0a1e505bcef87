/**
 * The message history in the database. Main thread; message-routes.ts calls it. New messages are
 * written by the shard workers, never here.
 */
import type { ApplicationId, MessageId, UserId } from '@bellwire/common'
import type { Database, MessageRow } from '@bellwire/common/db'
import { type Kysely, sql } from 'kysely'
import type { PageRequest } from './paging.ts'

/** A page ends early, with a next one, before it grows beyond this: 200 messages may be 800 MB. */
const MAX_PAGE_BYTES = 16 * 1024 * 1024

export interface MessagePage {
  readonly messages: readonly PageRow[]
  /** True when messages lie beyond this page. */
  readonly more: boolean
}

type PageRow = Readonly<Omit<MessageRow, 'user_id' | 'idempotency_key' | 'idempotency_hash'>>

export class MessageStore {
  readonly #db: Kysely<Database>

  constructor(db: Kysely<Database>) {
    this.#db = db
  }

  /** Reads one page of a user's messages, or of one application of the user. */
  async page(
    userId: UserId,
    applicationId: ApplicationId | null,
    page: PageRequest,
  ): Promise<MessagePage> {
    const direction = page.after === null ? 'desc' : 'asc'
    let found = this.#db
      .selectFrom('messages')
      .select(['id', 'application_id', 'title', 'message', 'priority', 'extras', 'date'])
      .where('user_id', '=', userId)
      .orderBy('id', direction)
      .limit(page.limit + 1)
    if (applicationId !== null) found = found.where('application_id', '=', applicationId)
    if (page.since > 0) found = found.where('id', '<', page.since as MessageId)
    if (page.after !== null) found = found.where('id', '>', page.after as MessageId)
    if (page.from !== null) found = found.where('date', '>=', page.from)
    if (page.to !== null) found = found.where('date', '<', page.to)

    const order = sql.raw(`order by id ${direction}`)
    // octet_length() reads the length of a large value without the value.
    const bytes = sql`octet_length(message) + octet_length(title) + coalesce(octet_length(extras), 0)`
    const sized = this.#db
      .selectFrom(found.as('found'))
      .selectAll()
      .select([
        sql<number>`count(*) over ()`.as('total'),
        sql<number>`row_number() over (${order})`.as('position'),
        sql<number>`sum(${bytes}) over (${order}) - (${bytes})`.as('bytes_before'),
      ])
    const rows = await this.#db
      .selectFrom(sized.as('sized'))
      .selectAll()
      .where('position', '<=', page.limit)
      .where('bytes_before', '<=', MAX_PAGE_BYTES)
      .orderBy('position')
      .execute()
    return { messages: rows, more: rows.length < (rows[0]?.total ?? 0) }
  }

  /** Returns false if the user has no such message. */
  async remove(userId: UserId, id: MessageId): Promise<boolean> {
    const result = await this.#db
      .deleteFrom('messages')
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .executeTakeFirstOrThrow()
    return result.numDeletedRows > 0n
  }
}
