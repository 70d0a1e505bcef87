/**
 * The management endpoints on real parts for tests: PostgreSQL, the HTTP server with its
 * authentication, a folder for images. Nothing publishes here; tests insert messages as rows.
 */
import type { ApplicationId, Clock, UserId } from '@bellwire/common'
import { loadConfig } from '@bellwire/common/config'
import {
  createDatabase,
  createPool,
  type Database,
  type DatabaseConnection,
} from '@bellwire/common/db'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Kysely } from 'kysely'
import { pino } from 'pino'
import type { Test } from 'tap'
import { Authenticator } from '../../src/auth/authenticate.ts'
import { PasswordHasher } from '../../src/auth/password-hasher.ts'
import { type Change, Changes } from '../../src/changes.ts'
import { createFirstAdmin } from '../../src/database/first-admin.ts'
import { CorsPolicy } from '../../src/http/cors.ts'
import { createHttpServer } from '../../src/http/server.ts'
import type { Route } from '../../src/http/types.ts'
import { managementRoutes } from '../../src/manage/management-routes.ts'

export interface ManagementServer {
  readonly base: string
  readonly routes: readonly Route[]
  readonly db: Kysely<Database>
  readonly imagesDir: string
  /** Everything announced so far. */
  readonly changes: readonly Change[]
  /** Moves the time of the server. */
  advance(milliseconds: number): void
  call(request: string, options?: CallOptions): Promise<Answer>
  /** Makes a user with a random name. */
  newUser(options?: { admin?: boolean }): Promise<TestUser>
  /** Inserts messages and returns their ids, oldest first. */
  insertMessages(application: TestApplication, texts: readonly string[]): Promise<number[]>
}

export interface CallOptions {
  readonly token?: string
  /** `name:password` */
  readonly basic?: string
  readonly json?: unknown
  readonly body?: string | Uint8Array | FormData | URLSearchParams
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body; undefined if it is empty. */
  readonly json: unknown
}

export interface TestUser {
  readonly id: UserId
  readonly name: string
  readonly pass: string
  readonly basic: string
}

export interface TestApplication {
  readonly id: ApplicationId
  readonly userId: UserId
}

export interface ServerOptions {
  readonly connection: DatabaseConnection
  readonly env?: Readonly<Record<string, string>>
  readonly legacyTokens?: boolean
}

export const ADMIN = 'admin:admin'

export async function startManagementServer(
  t: Test,
  { connection, env = {}, legacyTokens = false }: ServerOptions,
): Promise<ManagementServer> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'bellwire-manage-'))
  const imagesDir = path.join(dataDir, 'images')
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' })
  const { config } = loadConfig({
    env: { ...env, GOTIFY_DATADIR: dataDir, GOTIFY_UPLOADEDIMAGESDIR: imagesDir },
    cwd: dataDir,
    home: '',
    cpuCount: 2,
  })
  const pool = createPool(connection, { name: 'test', max: 8, onError: () => undefined })
  const db = createDatabase(pool)
  const clock = new TestClock()
  const hasher = new PasswordHasher({ cost: 4 })
  const changes = new Changes()
  const announced: Change[] = []
  changes.listen((change) => announced.push(change))
  const authenticator = new Authenticator({
    db,
    hasher,
    clock,
    log,
    secureCookie: config.server.secureCookie,
  })
  changes.listen((change) => authenticator.onChange(change))
  await createFirstAdmin(db, {
    name: 'admin',
    pass: 'admin',
    hash: (pass) => hasher.hash(pass),
    clock,
  })
  const version = { version: '3.0.0', commit: 'test', buildDate: '2026-01-01T00:00:00Z' }
  const routes = managementRoutes({
    ...{ db, authenticator, hasher, changes, config, clock, version, legacyTokens },
  })
  const server = createHttpServer({
    address: '127.0.0.1',
    port: 0,
    routes,
    authenticator,
    cors: new CorsPolicy(config.server),
    log,
    clock,
  })
  const { port } = await server.listen()
  t.teardown(async () => {
    await server.close()
    await authenticator.close()
    await hasher.close()
    await db.destroy()
    await rm(dataDir, { recursive: true, force: true })
  })
  return new Running(`http://127.0.0.1:${port}`, { routes, db, imagesDir, announced, clock })
}

class TestClock implements Clock {
  offset = 0
  now(): number {
    return Date.now() + this.offset
  }
}

interface Parts {
  readonly routes: readonly Route[]
  readonly db: Kysely<Database>
  readonly imagesDir: string
  readonly announced: readonly Change[]
  readonly clock: TestClock
}

/** A number at the top of the JSON of an answer. */
export function numberIn({ json }: Answer, key: string): number {
  return Number((json as Record<string, unknown>)[key])
}

/** A text at the top of the JSON of an answer. */
export function textIn({ json }: Answer, key: string): string {
  return String((json as Record<string, unknown>)[key])
}

let names = 0

class Running implements ManagementServer {
  readonly base: string
  readonly #parts: Parts

  constructor(base: string, parts: Parts) {
    this.base = base
    this.#parts = parts
  }

  get routes(): readonly Route[] {
    return this.#parts.routes
  }
  get db(): Kysely<Database> {
    return this.#parts.db
  }
  get imagesDir(): string {
    return this.#parts.imagesDir
  }
  get changes(): readonly Change[] {
    return this.#parts.announced
  }

  advance(milliseconds: number): void {
    this.#parts.clock.offset += milliseconds
  }

  async call(request: string, options: CallOptions = {}): Promise<Answer> {
    const [method = '', target = ''] = request.split(' ')
    const headers = new Headers(options.headers)
    if (options.token !== undefined) headers.set('x-gotify-key', options.token)
    if (options.basic !== undefined) {
      headers.set('authorization', `Basic ${Buffer.from(options.basic).toString('base64')}`)
    }
    if (options.json !== undefined) headers.set('content-type', 'application/json')
    const body = options.json === undefined ? options.body : JSON.stringify(options.json)
    const response = await fetch(this.base + target, {
      method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(20_000),
      ...(body !== undefined && { body }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    const json: unknown = isJson && text !== '' ? JSON.parse(text) : undefined
    return { status: response.status, headers: response.headers, text, json }
  }

  async newUser({ admin = false } = {}): Promise<TestUser> {
    const name = `user${++names}-${process.pid}`
    const pass = 'a password'
    const answer = await this.call('POST /user', { basic: ADMIN, json: { name, pass, admin } })
    if (answer.status !== 200) throw new Error(`Cannot make a user: ${answer.text}`)
    return { id: numberIn(answer, 'id') as UserId, name, pass, basic: `${name}:${pass}` }
  }

  async insertMessages(application: TestApplication, texts: readonly string[]): Promise<number[]> {
    const rows = await this.db
      .insertInto('messages')
      .values(
        texts.map((message) => ({
          user_id: application.userId,
          application_id: application.id,
          title: 'title',
          message,
          priority: 0,
          extras: null,
          date: this.#parts.clock.now(),
          idempotency_key: null,
          idempotency_hash: null,
        })),
      )
      .returning('id')
      .execute()
    return rows.map(({ id }) => id)
  }
}
