/**
 * Asks the log for the newest id of users whose first connection opens, many users a query. Runs on
 * the worker's thread.
 */
import { GatheredReads, type UserId } from '@bellwire/common'
import type { MessageStore } from './store/message-store.ts'

export interface HeadAnswer {
  /** The user's newest id, 0 for none. */
  readonly head: number
  /** The newest id ever given out. */
  readonly newest: number
}

export type HeadReads = GatheredReads<UserId, HeadAnswer>

const USERS_PER_QUERY = 1_000

export function headReads(store: Pick<MessageStore, 'heads'>): HeadReads {
  return new GatheredReads(async (userIds) => {
    const { newest, byUser } = await store.heads([...new Set(userIds)])
    return userIds.map((userId) => ({ head: byUser.get(userId) ?? 0, newest }))
  }, USERS_PER_QUERY)
}
