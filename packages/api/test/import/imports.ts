/** Imports in this process, into databases of one external PostgreSQL. */
import { loadConfig } from '@bellwire/common/config'
import { clientConfig, type DatabaseConnection } from '@bellwire/common/db'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import type { Test } from 'tap'
import { ImportError } from '../../src/import/import-error.ts'
import type { ImportReport } from '../../src/import/import-report.ts'
import { runImport } from '../../src/import/run-import.ts'
import { startTestPostgres } from '../support/postgres.ts'

export class Imports {
  readonly #connection: DatabaseConnection
  /** Of the data of each import. */
  readonly #cwd: string
  #databases = 0

  constructor(connection: DatabaseConnection, cwd: string) {
    this.#connection = connection
    this.#cwd = cwd
  }

  static async start(t: Test): Promise<Imports> {
    return new Imports(await startTestPostgres(t), t.testdir({}))
  }

  /** An empty database of its own. */
  async newDatabase(): Promise<DatabaseConnection> {
    const database = `import_${++this.#databases}`
    await run(this.#connection, `create database ${database}`)
    return { ...this.#connection, database }
  }

  imagesOf({ database }: DatabaseConnection): string {
    return join(this.#cwd, database)
  }

  run(
    from: string,
    into: DatabaseConnection,
    imagesDir: string | null = null,
  ): Promise<ImportReport> {
    const { config } = loadConfig({
      env: {
        GOTIFY_DATABASE_DIALECT: 'postgres',
        GOTIFY_DATABASE_CONNECTION: addressOf(into),
        GOTIFY_UPLOADEDIMAGESDIR: this.imagesOf(into),
      },
      ...{ cwd: this.#cwd, home: '', cpuCount: 2 },
    })
    return runImport({ from, imagesDir, config, log: pino({ level: 'silent' }) })
  }

  async refused(t: Test, from: string, into: DatabaseConnection, why: RegExp): Promise<void> {
    const error = await this.run(from, into).then(
      () => new Error('It was not refused'),
      (error: unknown) => error as Error,
    )
    t.ok(error instanceof ImportError, 'it is refused')
    t.match(error.message, why)
    t.notMatch(error.message, /\n/, 'one line')
  }
}

export function addressOf({ host, port, user, database }: DatabaseConnection): string {
  return `host='${host}' port=${port} user=${user} dbname=${database}`
}

export async function connectTo(on: DatabaseConnection): Promise<pg.Client> {
  const client = new pg.Client(clientConfig(on, { name: 'test' }))
  await client.connect()
  return client
}

export async function run(on: DatabaseConnection, statement: string): Promise<pg.QueryResult> {
  const client = await connectTo(on)
  try {
    return await client.query(statement)
  } finally {
    await client.end()
  }
}

export async function countsIn(database: DatabaseConnection): Promise<unknown> {
  const { rows } = await run(
    database,
    `select (select count(*)::int from users) as users, (select count(*)::int from applications) as applications,
      (select count(*)::int from clients) as clients, (select count(*)::int from messages) as messages`,
  )
  return rows[0]
}

/** As gorm makes the tables there. */
export const GOTIFY_ON_POSTGRES = `
create table users (id bigserial primary key, name varchar(180), pass bytea, admin boolean, created_at timestamptz, oidc_id text);
create table applications (id bigserial primary key, token varchar(180), user_id bigint, name text, description text, internal boolean, image text, default_priority bigint, created_at timestamptz, last_used timestamptz, sort_key bytea);
create table messages (id bigserial primary key, application_id bigint, message text, title text, priority bigint, extras bytea, date timestamptz);
create table clients (id bigserial primary key, token varchar(180), user_id bigint, name text, created_at timestamptz, last_used timestamptz, elevated_until timestamptz, expires_after_inactivity_seconds bigint not null default 0, expires_at timestamptz);
insert into users values (1, 'root', 'hash', true, now(), null);
insert into applications values (1, 'AWH0wZ5r0Mbac.r', 1, 'backup', '', false, '', 0, now(), null, 'a0');
insert into clients values (1, 'CWH0wZ5r0Mbac.r', 1, 'phone', now(), null, null, 0, null);
insert into messages values (7, 1, 'one', '', 5, '{"a":1}', '2021-05-06 07:08:09.123456+02'),
  (8, 1, 'two', '', 9223372036854775807, null, '2021-05-06 05:08:09+00');
select setval('messages_id_seq', 9);`
