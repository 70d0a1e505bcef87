/** Watches how busy the embedded PostgreSQL of a measured server is, from a connection of its own. */
import { nowUs, sleep } from '../wire/clock.ts'
import { connectEmbedded, type DatabasePool } from './embedded-database.ts'

const EVERY_MS = 25

export interface DatabaseLoad {
  /** Queries under way at one moment: the most that was seen, and the mean over all looks. */
  readonly mostQueriesAtOnce: number
  readonly meanQueriesAtOnce: number
  readonly mostConnections: number
}

export class DatabaseWatch {
  readonly #pool: DatabasePool
  readonly #looks: { active: number; connections: number }[] = []
  readonly #done: Promise<void>
  #stopping = false

  /** Begins to look at once; the server must be running. */
  constructor(workDir: string) {
    this.#pool = connectEmbedded(workDir)
    this.#done = this.#watch()
    // Whoever stops the watch hears of it; until then it must not end the process.
    this.#done.catch(() => undefined)
  }

  /** @throws {Error} when the database could not be asked */
  async stop(): Promise<DatabaseLoad> {
    this.#stopping = true
    await this.#done.finally(() => this.#pool.end())
    const active = this.#looks.map((look) => look.active)
    return {
      mostQueriesAtOnce: Math.max(0, ...active),
      meanQueriesAtOnce: active.reduce((sum, count) => sum + count, 0) / Math.max(1, active.length),
      mostConnections: Math.max(0, ...this.#looks.map((look) => look.connections)),
    }
  }

  async #watch(): Promise<void> {
    while (!this.#stopping) {
      const begunUs = nowUs()
      const { rows } = await this.#pool.query<{ active: number; connections: number }>(
        `select count(*) filter (where state = 'active')::int as active, count(*)::int as connections
         from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
      )
      this.#looks.push(...rows)
      await sleep(Math.max(0, EVERY_MS - (nowUs() - begunUs) / 1000))
    }
  }
}
