/**
 * Reads pages of the log for many users with one query: what is asked for while one query is under
 * way goes into the next one. So ten thousand devices that return, or a busy process beside this
 * one, cost some hundred queries and not one each. Runs on the worker's thread.
 */
import type { UserId } from '@bellwire/common'
import type pg from 'pg'
import { storedMessage, type MessageRow } from './message-row.ts'
import type { Page } from './message-store.ts'
import { SELECT_PAGES } from './read-sql.ts'

/** Bounds what one answer may hold: so many pages (PAGE_BYTES). */
const PAGES_PER_QUERY = 32

export interface PageRow extends MessageRow {
  /** Which of the pages asked for, from 1. */
  readonly page: number
  /** Rows of the log that the page was cut from: more than it holds if the log goes on. */
  readonly available: number
}

type Query = (query: pg.QueryConfig) => Promise<{ readonly rows: readonly PageRow[] }>

interface Request {
  readonly userId: UserId
  readonly after: number
  readonly found: (page: Page) => void
  readonly failed: (error: unknown) => void
}

export class PageReads {
  readonly #query: Query
  readonly #waiting: Request[] = []
  #underWay = false

  constructor(query: Query) {
    this.#query = query
  }

  /** The next messages of the user behind an id. @throws what the query throws, for every page in it */
  page(userId: UserId, after: number): Promise<Page> {
    return new Promise((found, failed) => {
      this.#waiting.push({ userId, after, found, failed })
      this.#next()
    })
  }

  #next(): void {
    if (this.#underWay || this.#waiting.length === 0) return
    this.#underWay = true
    // Whoever asks in this turn of the loop joins the query.
    setImmediate(() => {
      const requests = this.#waiting.splice(0, PAGES_PER_QUERY)
      void this.#read(requests).finally(() => {
        this.#underWay = false
        this.#next()
      })
    })
  }

  async #read(requests: readonly Request[]): Promise<void> {
    try {
      const { rows } = await this.#query({
        ...SELECT_PAGES,
        values: [requests.map(({ userId }) => userId), requests.map(({ after }) => after)],
      })
      const pages = requests.map((): PageRow[] => [])
      for (const row of rows) pages[row.page - 1]?.push(row)
      requests.forEach(({ found }, index) => found(pageOf(pages[index] ?? [])))
    } catch (error) {
      for (const { failed } of requests) failed(error)
    }
  }
}

function pageOf(rows: readonly PageRow[]): Page {
  const available = rows[0]?.available ?? 0
  return { messages: rows.map(storedMessage), atEnd: rows.length === available }
}
