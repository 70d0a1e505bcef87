/**
 * Asks the database whether it answers, for the checks of health. Main thread. One question at a
 * time goes out and everybody waits for that one, so a database that hangs holds one connection of
 * the pool, however often somebody asks.
 */
import type { Database } from '@bellwire/common/db'
import { isUnavailable } from '@bellwire/common/db'
import { type Kysely, sql } from 'kysely'
import { setTimeout as sleep } from 'node:timers/promises'

/** No answer by then is a no: most who watch a server give it 5 s. */
const PATIENCE_MS = 3_000

/** @returns a function that resolves within 3 s, to false for a database that is away or silent */
export function databaseQuestion(db: Kysely<Database>): () => Promise<boolean> {
  let underWay: Promise<boolean> | null = null

  async function ask(): Promise<boolean> {
    try {
      await sql`select 1`.execute(db)
      return true
    } catch (error) {
      if (isUnavailable(error)) return false
      throw error
    } finally {
      underWay = null
    }
  }

  return async () => {
    underWay ??= ask()
    const patience = new AbortController()
    const late = sleep(PATIENCE_MS, false, { signal: patience.signal }).catch(() => false)
    return Promise.race([underWay, late]).finally(() => patience.abort())
  }
}
