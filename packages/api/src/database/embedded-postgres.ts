/**
 * The PostgreSQL server that Bellwire brings along: started before everything else, kept running,
 * stopped last. Main thread of the process that owns the data folder (in a cluster the primary).
 * The promises: no other user of the machine gets in, an acknowledged commit survives any kill, and
 * two Bellwires never share a folder.
 */
import { clientConfig, type DatabaseConnection } from '@bellwire/common/db'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { makeFolder } from '../make-folder.ts'
import { DATABASE_NAME, prepareSite, type Site } from './data-folder.ts'
import { clearLeftovers } from './lock-file.ts'
import { chooseAccount } from './postgres-account.ts'
import type { DatabaseLogger } from './postgres-log.ts'
import { SOCKET_PORT } from './postgres-settings.ts'
import { startPostmaster, type Postmaster } from './postmaster.ts'
import { startFailure } from './start-failure.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000
/** One that ran this long before it ended is started again without a longer pause. */
const STEADY_MS = 30_000

export interface EmbeddedPostgresOptions {
  /** GOTIFY_DATADIR; made when missing. */
  readonly dataDir: string
  /** Connections that it takes at least. @default 200 */
  readonly connections?: number
  readonly log: DatabaseLogger
}

export interface EmbeddedPostgres {
  /** Stays the same over restarts of PostgreSQL. */
  readonly connection: DatabaseConnection
  /** Called with the reason whenever PostgreSQL ends unasked; it is started again by itself. */
  onExit(listener: (reason: string) => void): void
  /** Stops PostgreSQL and waits for its end, 20 s at most. Close all connections first. */
  stop(): Promise<void>
}

/**
 * Starts the server and makes the database.
 *
 * @throws {DatabaseStartError} One line that says why it cannot and what to do.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir)
  let server: Server | undefined
  try {
    await makeFolder(dataDir)
    const site = await prepareSite(dataDir, options.log, options.connections)
    server = new Server(site, options.log)
    await server.start()
    await makeDatabase(server.connection)
    return server
  } catch (error) {
    await server?.stop()
    throw startFailure(error, { dataDir, account: await chooseAccount(join(dataDir, 'postgres')) })
  }
}

class Server implements EmbeddedPostgres {
  readonly connection: DatabaseConnection
  readonly #site: Site
  readonly #log: DatabaseLogger
  readonly #listeners: ((reason: string) => void)[] = []
  #postmaster: Postmaster | null = null
  /** Settles when nothing is left to supervise. */
  #supervision: Promise<void> = Promise.resolve()
  readonly #stopping = new AbortController()
  /** A process that ends without `stop()`, by an error of its own, takes PostgreSQL along. */
  readonly #onProcessExit = () => this.#postmaster?.askToStop()

  constructor(site: Site, log: DatabaseLogger) {
    this.#site = site
    this.#log = log
    this.connection = {
      host: site.socketFolder,
      port: SOCKET_PORT,
      user: DATABASE_NAME,
      password: '',
      database: DATABASE_NAME,
      ssl: false,
    }
  }

  async start(): Promise<void> {
    process.on('exit', this.#onProcessExit)
    const postmaster = await this.#startPostmaster()
    this.#supervision = this.#supervise(postmaster)
  }

  onExit(listener: (reason: string) => void): void {
    this.#listeners.push(listener)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#postmaster?.stop()
    await this.#supervision
    process.off('exit', this.#onProcessExit)
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  async #startPostmaster(): Promise<Postmaster> {
    await clearLeftovers(this.#site.dataFolder, this.#log)
    this.#postmaster = await startPostmaster(this.#site, this.#log)
    if (this.#isStopping()) await this.#postmaster.stop()
    try {
      await this.#postmaster.ready()
    } catch (error) {
      // Another Bellwire that started at the same moment got the folder: that is the better reason.
      await clearLeftovers(this.#site.dataFolder, this.#log)
      throw error
    }
    return this.#postmaster
  }

  /** Starts PostgreSQL again each time it ends, until `stop()`. */
  async #supervise(first: Postmaster): Promise<void> {
    let postmaster: Postmaster | null = first
    let pauseMs = FIRST_PAUSE_MS
    while (!this.#isStopping()) {
      if (postmaster !== null) {
        const startedAt = performance.now()
        const reason = await postmaster.ended
        if (this.#isStopping()) return
        this.#log.error({ reason }, 'PostgreSQL ended, starting it again')
        for (const listener of this.#listeners) listener(reason)
        if (performance.now() - startedAt > STEADY_MS) pauseMs = FIRST_PAUSE_MS
      }
      await pause(pauseMs, this.#stopping.signal)
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
      if (this.#isStopping()) return
      postmaster = await this.#startPostmaster().catch((error: unknown) => {
        if (!this.#isStopping()) {
          this.#log.error({ err: error }, 'PostgreSQL does not start, trying again')
        }
        return null
      })
    }
  }
}

/** `initdb` makes the database "postgres" only. */
async function makeDatabase(connection: DatabaseConnection): Promise<void> {
  const client = new pg.Client(
    clientConfig({ ...connection, database: 'postgres' }, { name: 'bellwire-start' }),
  )
  await client.connect()
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [
      DATABASE_NAME,
    ])
    if (rowCount === 0) await client.query(`create database ${DATABASE_NAME}`)
  } finally {
    await client.end()
  }
}

/** Resolves after the time, or at once when the signal says so. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => undefined)
}
