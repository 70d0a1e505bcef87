/**
 * The PostgreSQL of a proof: the server that Bellwire brings along, on a folder of its own, started again by itself when
 * it is killed. Known by the place of its file, because nothing imports the gateway.
 */
import { createPool, type DatabaseConnection } from '@bellwire/common/db/postgres'
import { appendFileSync, readFileSync } from 'node:fs'
import { REPOSITORY } from '../../server/paths.ts'
import type { Row } from '../check/history.ts'
import { send } from './send-signal.ts'

const EMBEDDED_POSTGRES = `${REPOSITORY}packages/api/dist/src/database/embedded-postgres.js`
/** More than three processes take, with those that a killed one leaves for a moment. */
const CONNECTIONS = 300
const SELECT_ROWS = `
  select m.id, u.name, md5(m.message) as digest, m.idempotency_key as key
  from messages m join users u on u.id = m.user_id order by m.id`
const SELECT_BACKENDS = `
  select pid from pg_stat_activity where application_name like 'bellwire%' order by pid`

interface EmbeddedPostgres {
  readonly connection: DatabaseConnection
  stop(): Promise<void>
}

type Log = (details: unknown, text?: string) => void

interface EmbeddedPostgresModule {
  readonly startEmbeddedPostgres: (options: {
    readonly dataDir: string
    readonly connections: number
    readonly log: Readonly<Record<'debug' | 'info' | 'warn' | 'error', Log>>
  }) => Promise<EmbeddedPostgres>
}

export async function startProveDatabase(dataDir: string, logFile: string): Promise<ProveDatabase> {
  const { startEmbeddedPostgres } = (await import(EMBEDDED_POSTGRES)) as EmbeddedPostgresModule
  const write: Log = (details, text = '') => {
    const words = typeof details === 'string' ? details : JSON.stringify(details)
    appendFileSync(logFile, `${words} ${text}\n`)
  }
  const log = { debug: write, info: write, warn: write, error: write }
  const server = await startEmbeddedPostgres({ dataDir, connections: CONNECTIONS, log })
  return new ProveDatabase(server, dataDir)
}

export class ProveDatabase {
  readonly #server: EmbeddedPostgres
  readonly #dataDir: string

  constructor(server: EmbeddedPostgres, dataDir: string) {
    this.#server = server
    this.#dataDir = dataDir
  }

  /** Path of the socket that it listens on; stays the same over its deaths. */
  get socket(): string {
    const { host, port } = this.#server.connection
    return `${host}/.s.PGSQL.${port}`
  }

  /** The setting by which a Bellwire reaches it at a port of this machine. */
  connectionAt(port: number): string {
    const { user, database } = this.#server.connection
    return `host=127.0.0.1 port=${port} user=${user} dbname=${database} sslmode=disable`
  }

  /** @returns false when it does not run */
  kill(): boolean {
    try {
      const file = `${this.#dataDir}/postgres/data/postmaster.pid`
      const pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
      // The file outlives a killed server, and its number may be somebody else's by now.
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return command.includes(this.#dataDir) && send(pid, 'SIGKILL')
    } catch {
      return false
    }
  }

  /** Kills the process behind one connection of a Bellwire; PostgreSQL then breaks them all and recovers. */
  async killBackend(which: number): Promise<boolean> {
    const backends = await this.#query<{ pid: number }>(SELECT_BACKENDS).catch(() => [])
    return send(backends[which % Math.max(backends.length, 1)]?.pid, 'SIGKILL')
  }

  /** Every message there is; `userOf` turns the name of a user into its number. */
  async rows(userOf: (name: string) => number): Promise<Row[]> {
    const rows = await this.#query<Omit<Row, 'user'> & { readonly name: string }>(SELECT_ROWS)
    return rows.map(({ id, name, key, digest }) => ({ id, user: userOf(name), key, digest }))
  }

  async stop(): Promise<void> {
    await this.#server.stop()
  }

  async #query<Result>(text: string): Promise<Result[]> {
    const onError = (): void => undefined
    const pool = createPool(this.#server.connection, { name: 'prove', max: 1, onError })
    try {
      return (await pool.query(text)).rows as Result[]
    } finally {
      await pool.end()
    }
  }
}
