import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseConnection } from '../../src/config/index.ts'

t.test('[CONF7] parseConnection() reads the keyword form with the quoting rules of libpq', (t) => {
  const cases: Record<string, object> = {
    'host=localhost port=5432 user=gotify dbname=gotifydb password=secret': {
      host: 'localhost',
      port: 5432,
      user: 'gotify',
      database: 'gotifydb',
      password: 'secret',
    },
    "user = 'a b'  password='it\\'s \\\\ 100%'\tdbname=x": {
      port: 5432,
      user: 'a b',
      password: "it's \\ 100%",
      database: 'x',
    },
    "password=a\\ b\\\\c'd user=+&=?#@:/%41": {
      port: 5432,
      password: "a b\\c'd",
      user: '+&=?#@:/%41',
    },
    "host=/run/postgresql dbname='a/b?c#d' password=''": {
      port: 5432,
      host: '/run/postgresql',
      database: 'a/b?c#d',
    },
    'host=h user=u user=v connect_timeout=7 application_name=x TimeZone=UTC': {
      host: 'h',
      port: 5432,
      user: 'v',
      connectionTimeoutMillis: 7000,
      application_name: 'x',
    },
    'host=::1 port=6000 options=-csearch_path=x': {
      host: '::1',
      port: 6000,
      options: '-csearch_path=x',
    },
  }
  for (const [text, expected] of Object.entries(cases)) {
    t.strictSame(parseConnection(text), expected, text)
  }
  t.end()
})

t.test('[CONF7] parseConnection() reads URLs', (t) => {
  const cases: Record<string, object> = {
    'postgres://u:p%23w@db.example:5433/data?application_name=x': {
      host: 'db.example',
      port: 5433,
      user: 'u',
      password: 'p#w',
      database: 'data',
      application_name: 'x',
    },
    'postgresql://[::1]/data?user=u&password=a%20b': {
      host: '::1',
      port: 5432,
      user: 'u',
      password: 'a b',
      database: 'data',
    },
    'postgres:///data?host=/run/pg': { host: '/run/pg', port: 5432, database: 'data' },
    'postgres://u:p@/data': { port: 5432, user: 'u', password: 'p', database: 'data' },
    'postgresql://%2Frun%2Fpg/data': { host: '/run/pg', port: 5432, database: 'data' },
    'postgres://h?dbname=data': { host: 'h', port: 5432, database: 'data' },
  }
  for (const [text, expected] of Object.entries(cases)) {
    t.strictSame(parseConnection(text), expected, text)
  }
  t.end()
})

t.test('[CONF7] parseConnection() gives sslmode the meaning of libpq in both forms', (t) => {
  const root = join(t.testdir(), 'root.crt')
  writeFileSync(root, 'a certificate')
  const cases: Record<string, unknown> = {
    '': undefined,
    'sslmode=disable': false,
    'sslmode=require': { rejectUnauthorized: false },
    'sslmode=verify-full': {},
    'sslmode=verify-full sslrootcert=system': {},
    [`sslmode=verify-full sslrootcert=${root}`]: { ca: 'a certificate' },
  }
  for (const [text, expected] of Object.entries(cases)) {
    t.strictSame(parseConnection(`host=h ${text}`).ssl, expected, text)
    t.strictSame(parseConnection(`postgres://h?${text.replace(' ', '&')}`).ssl, expected, text)
  }
  const { ssl } = parseConnection(`host=h sslmode=verify-ca sslrootcert=${root}`)
  t.match(ssl, { ca: 'a certificate', checkServerIdentity: Function }, 'any host name will do')
  t.end()
})

t.test('[CONF7] parseConnection() refuses what it cannot keep to, and shows no secret', (t) => {
  const cases: Record<string, RegExp> = {
    'data/gotify.db': /pairs such as host=/,
    "host=h password='hunter2": /pairs such as host=/,
    "host=h password='hunter2'x": /pairs such as host=/,
    'host=h password=my hunter2=1': /keyword that is none of them/,
    'postgres://u:my?hunter2=x@h/db': /keyword that is none of them/,
    'host=h password=hunter2 sslmode=prefer':
      /sslmode of disable, require, verify-ca, verify-full$/,
    'host=h password=hunter2 sslmode=verify-ca': /sslrootcert/,
    'host=h password=hunter2 sslmode=verify-full sslrootcert=/none':
      /\/none cannot be read \(ENOENT\)/,
    'host=h password=hunter2 port=0': /port from 1 to 65535/,
    'host=h password=hunter2 port=x': /port from 1 to 65535/,
    'host=h,i password=hunter2': /one host/,
    'host=h password=hunter2 connect_timeout=1.5': /connect_timeout in whole seconds/,
    'postgres://u:hunter2@h:99999/db': /no valid URL/,
  }
  for (const [text, expected] of Object.entries(cases)) {
    try {
      parseConnection(text)
      t.fail(`accepted ${text}`)
    } catch (error) {
      t.ok(error instanceof Error)
      const { message } = error as Error
      t.match(message, expected, text)
      t.notMatch(message, /hunter2/)
    }
  }
  t.end()
})
