/** Reads pages of the log for many users with one query. Runs on the worker's thread. */
import { GatheredReads, type UserId } from '@bellwire/common'
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

/** The next messages of the user behind an id. */
interface PageAsk {
  readonly userId: UserId
  readonly after: number
}

type Query = (query: pg.QueryConfig) => Promise<{ readonly rows: readonly PageRow[] }>

/** Devices of one user that come back together share their pages: equal asks get the same object. */
export function pageReads(query: Query): GatheredReads<PageAsk, Page> {
  return new GatheredReads(async (asks) => {
    const wanted = new Map(asks.map((ask) => [keyOf(ask), ask]))
    const { rows } = await query({
      ...SELECT_PAGES,
      values: [
        Array.from(wanted.values(), ({ userId }) => userId),
        Array.from(wanted.values(), ({ after }) => after),
      ],
    })
    const rowsOf = Array.from(wanted, (): PageRow[] => [])
    for (const row of rows) rowsOf[row.page - 1]?.push(row)
    const pages = new Map(
      Array.from(wanted.keys(), (key, index) => [key, pageOf(rowsOf[index] ?? [])]),
    )
    return asks.flatMap((ask) => pages.get(keyOf(ask)) ?? [])
  }, PAGES_PER_QUERY)
}

function keyOf({ userId, after }: PageAsk): string {
  return `${userId} ${after}`
}

function pageOf(rows: readonly PageRow[]): Page {
  const available = rows[0]?.available ?? 0
  return { messages: rows.map(storedMessage), atEnd: rows.length === available }
}
