/**
 * Carries announced changes between the processes on one database: a row in the table `changes`,
 * a notification that says "look", and a poll behind it. Main thread; between Changes here and
 * Changes there. A change reaches every process that runs, within a second and once.
 */
import type { Logger } from '@bellwire/common'
import { Notifications, type DatabaseConnection } from '@bellwire/common/db'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Change, Changes } from '../changes.ts'
import { readChange } from './read-change.ts'

const CHANNEL = 'bellwire_changes'
const POLL_MS = 1_000
const RETRY_MS = 250
/** Changes that one statement tells or reads: one may hold hundreds of ids. */
const ROWS = 100
/**
 * Ids are drawn before the commit, so a smaller one may appear after a greater one, but no later
 * than a statement may take (15 s). So long a gap in the ids is looked at again.
 */
const OVERLAP_MS = 30_000
/** A process that was cut off for longer has missed changes, and says so. */
const KEPT_MS = 10 * 60_000
const CLEAN_UP_MS = 60_000

const TELL = {
  name: 'tell-changes',
  text: `with told as (
      insert into changes (at, origin, change)
      select (extract(epoch from clock_timestamp()) * 1000)::bigint, $1, change
      from unnest($2::text[]) as change
    )
    select pg_notify('${CHANNEL}', '')`,
} as const

const NEWEST = 'select coalesce(max(id), 0) as newest from changes'

const READ = {
  name: 'read-changes',
  text: `select id, origin, change from changes
    where id > $1 and id <> all($2::bigint[]) order by id limit ${ROWS}`,
} as const

const CLEAN_UP = `delete from changes
  where at < (extract(epoch from clock_timestamp()) * 1000)::bigint - ${KEPT_MS}`

interface ChangeRow {
  readonly id: number
  readonly origin: string
  readonly change: string
}

export interface ChangeRelayOptions {
  readonly connection: DatabaseConnection
  readonly changes: Changes
  readonly log: Logger
  /** Changes may have been missed for good: whatever depends on them is to be checked. */
  readonly gap: () => void
}

export class ChangeRelay {
  readonly #options: ChangeRelayOptions
  readonly #origin = randomUUID()
  readonly #notifications: Notifications
  readonly #timers: readonly NodeJS.Timeout[]
  /** No row up to this id is still to be read; null: not known yet. */
  #floor: number | null = null
  /** When each row above the floor was read: empty but for the time that a gap is open. */
  readonly #seen = new Map<number, number>()
  #lastRead = performance.now()
  #reading: Promise<void> | null = null
  #lookAgain = false
  readonly #untold: Change[] = []
  #telling: Promise<void> | null = null
  #closed = false

  constructor(options: ChangeRelayOptions) {
    this.#options = options
    this.#notifications = new Notifications({
      connection: options.connection,
      name: 'bellwire changes',
      channel: CHANNEL,
      heard: () => this.#look(),
      connected: () => this.#look(),
      lost: (error) => options.log.debug({ error: String(error) }, 'no connection for changes'),
    })
    options.changes.listen((change, origin) => {
      if (origin === 'here') this.#tell(change)
    })
    this.#timers = [
      setInterval(() => this.#look(), POLL_MS),
      setInterval(() => void this.#cleanUp(), CLEAN_UP_MS),
    ]
  }

  /** Tells what is still to be told, unless the database is away. */
  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    await this.#telling
    await this.#reading
    await this.#notifications.close()
  }

  #tell(change: Change): void {
    this.#untold.push(change)
    this.#telling ??= this.#tellAll().finally(() => (this.#telling = null))
  }

  async #tellAll(): Promise<void> {
    while (this.#untold.length > 0) {
      const batch = this.#untold.splice(0, ROWS)
      try {
        const texts = batch.map((change) => JSON.stringify(change))
        await this.#notifications.query({ ...TELL, values: [this.#origin, texts] })
      } catch (error) {
        // May be in the table all the same; a change that is heard twice does no harm.
        this.#options.log.debug({ error: String(error) }, 'changes could not be told yet')
        if (this.#closed) return
        this.#untold.unshift(...batch)
        await sleep(RETRY_MS)
      }
    }
  }

  /** One look at a time; what is asked for meanwhile is one more look. */
  #look(): void {
    if (this.#closed || !this.#notifications.isUp) return
    if (this.#reading !== null) {
      this.#lookAgain = true
      return
    }
    this.#reading = this.#read()
      .catch((error: unknown) => {
        this.#options.log.debug({ error: String(error) }, 'changes could not be read yet')
      })
      .finally(() => {
        this.#reading = null
        if (!this.#lookAgain) return
        this.#lookAgain = false
        this.#look()
      })
  }

  async #read(): Promise<void> {
    const startedAt = performance.now()
    if (this.#floor === null) {
      const [row] = await this.#notifications.query<{ newest: number }>({ text: NEWEST })
      this.#floor = row?.newest ?? 0
    } else {
      const values = [this.#floor, [...this.#seen.keys()]]
      const rows = await this.#notifications.query<ChangeRow>({ ...READ, values })
      for (const row of rows) this.#take(row, startedAt)
      const isWhole = rows.length < ROWS
      this.#floor = this.#floorAbove(this.#floor, isWhole ? startedAt - OVERLAP_MS : 0)
      this.#lookAgain ||= !isWhole
    }
    if (startedAt - this.#lastRead > KEPT_MS - OVERLAP_MS) {
      this.#options.log.warn('changes of other processes may have been missed')
      this.#options.gap()
    }
    this.#lastRead = startedAt
  }

  #take({ id, origin, change: text }: ChangeRow, now: number): void {
    this.#seen.set(id, now)
    if (origin === this.#origin) return
    const change = readChange(text)
    // Of a newer version in the middle of an upgrade: this one knows nothing that it could change.
    if (change === null) this.#options.log.warn({ change: text }, 'unknown change')
    else this.#options.changes.announce(change, 'elsewhere')
  }

  /** Up to the next gap that may be filled: one below a row that was read later than given. */
  #floorAbove(floor: number, closedBefore: number): number {
    for (const [id, at] of this.#seen) if (at <= closedBefore) floor = Math.max(floor, id)
    for (const id of this.#seen.keys()) if (id <= floor) this.#seen.delete(id)
    while (this.#seen.delete(floor + 1)) floor++
    return floor
  }

  async #cleanUp(): Promise<void> {
    if (!this.#notifications.isUp) return
    await this.#notifications.query({ text: CLEAN_UP }).catch((error: unknown) => {
      this.#options.log.debug({ error: String(error) }, 'old changes stay for now')
    })
  }
}
