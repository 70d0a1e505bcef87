/**
 * Databases as Gotify 2 and Gotify 3 leave them: the tables that its two versions of gorm make, with
 * users, tokens of both kinds, messages and what an import has to leave out.
 */
import { hashSync } from '@node-rs/bcrypt'
import Sqlite from 'libsql'
import { createToken } from '../../src/auth/tokens.ts'

export const PASSWORD = 'hunter2'
export const LEGACY_APPLICATION_TOKEN = 'AWH0wZ5r0Mbac.r'
export const LEGACY_CLIENT_TOKEN = 'CWH0wZ5r0Mbac_r'
export const APPLICATION_TOKEN = createToken('a')
export const CLIENT_TOKEN = createToken('c')
export const IMAGE = 'abcdefghijklmnopqrstu-_xy.png'
export const EXTRAS = '{"client::display":{"contentType":"text/markdown"},"n":12345678901234567890}'
/** The newest message was deleted: its id must not come again. */
export const LAST_MESSAGE_ID = 40

const TABLES_OF_2 = `
CREATE TABLE "users" ("id" integer primary key autoincrement,"name" varchar(180),"pass" blob,"admin" bool );
CREATE TABLE "applications" ("id" integer primary key autoincrement,"token" varchar(180),"user_id" integer,"name" text,"description" text,"internal" bool,"image" text, "default_priority" integer, "last_used" datetime);
CREATE TABLE "messages" ("id" integer primary key autoincrement,"application_id" integer,"message" text,"title" text,"priority" integer,"extras" blob,"date" datetime );
CREATE TABLE "clients" ("id" integer primary key autoincrement,"token" varchar(180),"user_id" integer,"name" text, "last_used" datetime);
CREATE TABLE "plugin_confs" ("id" integer primary key autoincrement,"user_id" integer,"module_path" text,"token" varchar(180),"application_id" integer,"enabled" bool,"config" blob,"storage" blob );
CREATE UNIQUE INDEX uix_users_name ON "users"("name") ;
CREATE UNIQUE INDEX uix_applications_token ON "applications"(token) ;
CREATE UNIQUE INDEX uix_clients_token ON "clients"(token) ;`

const TABLES_OF_3 = `
CREATE TABLE \`users\` (\`id\` integer PRIMARY KEY AUTOINCREMENT,\`name\` varchar(180),\`pass\` blob,\`admin\` numeric,\`created_at\` datetime,\`oidc_id\` text);
CREATE TABLE \`applications\` (\`id\` integer PRIMARY KEY AUTOINCREMENT,\`token\` varchar(180),\`user_id\` integer,\`name\` text,\`description\` text,\`internal\` numeric,\`image\` text,\`default_priority\` integer,\`created_at\` datetime,\`last_used\` datetime,\`sort_key\` blob);
CREATE TABLE \`messages\` (\`id\` integer PRIMARY KEY AUTOINCREMENT,\`application_id\` integer,\`message\` text,\`title\` text,\`priority\` integer,\`extras\` blob,\`date\` datetime);
CREATE TABLE \`clients\` (\`id\` integer PRIMARY KEY AUTOINCREMENT,\`token\` varchar(180),\`user_id\` integer,\`name\` text,\`created_at\` datetime,\`last_used\` datetime,\`elevated_until\` datetime,\`expires_after_inactivity_seconds\` integer NOT NULL DEFAULT 0,\`expires_at\` datetime);
CREATE TABLE \`plugin_confs\` (\`id\` integer PRIMARY KEY AUTOINCREMENT,\`user_id\` integer,\`module_path\` text,\`token\` varchar(180),\`application_id\` integer,\`enabled\` numeric,\`created_at\` datetime,\`config\` blob,\`storage\` blob);
CREATE UNIQUE INDEX \`uix_users_name\` ON \`users\`(\`name\`);
CREATE UNIQUE INDEX \`uix_users_oidc_id\` ON \`users\`(\`oidc_id\`);
CREATE UNIQUE INDEX \`uix_applications_token\` ON \`applications\`(\`token\`);
CREATE UNIQUE INDEX \`uix_application_user_id_sort_key\` ON \`applications\`(\`user_id\`,\`sort_key\`);
CREATE UNIQUE INDEX \`uix_clients_token\` ON \`clients\`(\`token\`);`

/** Go's bcrypt writes 2a where this one writes 2y, which means the same. */
function gotifyHash(password: string): Buffer {
  return Buffer.from(`$2a$${hashSync(password, 4).slice('$2y$'.length)}`)
}

type Value = string | number | Buffer | null
type Rows = Readonly<Record<string, readonly Readonly<Record<string, Value>>[]>>

/** Rows that both versions have, in the columns of Gotify 2. */
export function rowsOf2(): Rows {
  return {
    users: [
      { id: 1, name: 'root', pass: gotifyHash(PASSWORD), admin: 1 },
      { id: 3, name: 'eve', pass: gotifyHash('of eve'), admin: 0 },
    ],
    applications: [
      application(2, { token: LEGACY_APPLICATION_TOKEN, name: 'backup', image: IMAGE }),
      application(5, { token: 'AzzzzzzzzzzzzzZ', name: 'second', internal: 1 }),
      application(6, { token: 'Aeeeeeeeeeeeee', name: 'of eve', user_id: 3 }),
      application(7, { token: 'Agggggggggggggg', name: 'of nobody', user_id: 2 }),
    ],
    clients: [
      { id: 4, token: LEGACY_CLIENT_TOKEN, user_id: 1, name: 'phone', last_used: null },
      { id: 5, token: 'Cgggggggggggggg', user_id: 2, name: 'of nobody', last_used: null },
    ],
    messages: [
      message(10, { date: '2021-05-06 07:08:09.123456789+02:00', extras: Buffer.from(EXTRAS) }),
      message(11, { date: '2021-05-06T07:08:09Z', title: 'title', priority: 8 }),
      message(20, { application_id: 6, message: 'to eve' }),
      message(30, { application_id: 99, message: 'of an application that is gone' }),
      message(LAST_MESSAGE_ID - 1, {
        message: 'NUL \0, quote \', "<b>"',
        extras: Buffer.from('{'),
      }),
    ],
    plugin_confs: [{ id: 1, user_id: 1, module_path: 'x', token: 'P', application_id: 5 }],
  }
}

/** The same with what Gotify 3 added. */
export function rowsOf3(): Rows {
  const {
    users = [],
    applications = [],
    clients = [],
    messages = [],
    plugin_confs = [],
  } = rowsOf2()
  const created_at = '2022-01-02 03:04:05.6+00:00'
  return {
    users: users.map((user) => ({ ...user, created_at, oidc_id: null })),
    applications: [
      ...applications.map((row, i) => ({ ...row, created_at, sort_key: Buffer.from(`a${9 - i}`) })),
      {
        ...application(8, { token: APPLICATION_TOKEN.stored, name: 'new kind' }),
        ...{ created_at, default_priority: 4, sort_key: Buffer.from('Zz') },
      },
    ],
    clients: [
      ...clients.map((client) => ({ ...client, created_at })),
      {
        ...{ id: 9, token: CLIENT_TOKEN.stored, user_id: 1, name: 'new kind', created_at },
        ...{ elevated_until: '2999-01-01 00:00:00+00:00', expires_after_inactivity_seconds: 0 },
      },
    ],
    messages,
    plugin_confs,
  }
}

export function writeGotify2(file: string, rows: Rows = rowsOf2()): void {
  write(file, TABLES_OF_2, rows)
}

export function writeGotify3(file: string, rows: Rows = rowsOf3()): void {
  write(file, TABLES_OF_3, rows)
}

/** What came in later: an application, and messages of it, of an old one and of the one with the id 5. */
export function addToGotify3(file: string): void {
  const more = { created_at: '2022-01-02 03:04:05.6+00:00', sort_key: Buffer.from('b0') }
  const database = new Sqlite(file)
  insert(database, {
    applications: [{ ...application(12, { token: 'Annnnnnnnnnnnnn', name: 'new one' }), ...more }],
    messages: [
      message(141, { message: 'new' }),
      message(142, { application_id: 5 }),
      message(143, { application_id: 12, message: 'of a new one' }),
    ],
  })
  database.close()
}

function write(file: string, tables: string, rows: Rows): void {
  const database = new Sqlite(file)
  database.exec(tables)
  insert(database, rows)
  const newest = `insert into messages (id, application_id) values (${LAST_MESSAGE_ID}, 2)`
  database.exec(`${newest}; delete from messages where id = ${LAST_MESSAGE_ID}`)
  database.close()
}

function insert(database: Sqlite.Database, rows: Rows): void {
  for (const [table, all] of Object.entries(rows)) {
    for (const row of all) {
      const names = Object.keys(row)
      const holes = names.map(() => '?').join()
      const values = Object.values(row)
      database.prepare(`insert into ${table} (${names.join()}) values (${holes})`).run(...values)
    }
  }
}

function application(id: number, values: Record<string, Value>): Record<string, Value> {
  const common = { description: 'text', internal: 0, image: '', default_priority: 0 }
  return { id, user_id: 1, ...common, last_used: null, ...values }
}

function message(id: number, values: Record<string, Value>): Record<string, Value> {
  const date = '2021-05-06 07:08:09+00:00'
  const common = { application_id: 2, message: 'text', title: '', priority: 0, extras: null, date }
  return { id, ...common, ...values }
}
