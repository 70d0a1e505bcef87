import { createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import pg from 'pg'
import t, { type Test } from 'tap'
import { PushError } from '../../src/errors.ts'
import {
  clientConfig,
  endsSession,
  isUnavailable,
  shortageOf,
  toPushError,
  type DatabaseConnection,
} from '../../src/db/index.ts'

function at(host: string, port: number): DatabaseConnection {
  return { host, port, user: 'u', password: '', database: 'd', ssl: false }
}

async function failureOf(connection: DatabaseConnection): Promise<unknown> {
  const client = new pg.Client(clientConfig(connection, { name: 'test' }))
  client.on('error', () => undefined)
  return client.connect().then(
    () => 'connected',
    (error: unknown) => error,
  )
}

/** A server that treats each connection in its own way; returns its port. */
async function listen(t: Test, onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer(onConnection).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function withCode(code: string): Error {
  return Object.assign(new Error('failed'), { code })
}

void t.test('[STORE13] isUnavailable() knows the SQLSTATEs of a database that is away', (t) => {
  for (const code of [
    '57P01',
    '57P02',
    '57P03',
    '57014',
    '53300',
    '53100',
    '08006',
    '08001',
    '28P01',
    '25006',
    '58030',
    '3D000',
  ]) {
    t.equal(isUnavailable(withCode(code)), true, code)
  }
  for (const code of [
    '23505',
    '23503',
    '22021',
    '22P02',
    '42601',
    '42P01',
    '40001',
    '40P01',
    '54000',
    'XX000',
  ]) {
    t.equal(isUnavailable(withCode(code)), false, code)
  }
  t.equal(isUnavailable(new Error('something else')), false)
  t.equal(isUnavailable('Connection terminated'), false)
  t.equal(isUnavailable(null), false)
  t.end()
})

void t.test('[STORE13] isUnavailable() knows the failures of real connections', async (t) => {
  const closing = await listen(t, (socket) => socket.destroy())
  const resetting = await listen(t, (socket) => socket.resetAndDestroy())
  t.equal(isUnavailable(await failureOf(at('127.0.0.1', closing))), true, 'closed at once')
  t.equal(isUnavailable(await failureOf(at('127.0.0.1', resetting))), true, 'reset')
  t.equal(isUnavailable(await failureOf(at('/nonexistent', 5432))), true, 'no socket folder')
  t.equal(isUnavailable(await failureOf(at('name.invalid', 5432))), true, 'no such host')
  t.equal(isUnavailable(await failureOf(at('localhost', 1))), true, 'refused on every address')
  const tls = { ...at('127.0.0.1', 0), ssl: { rejectUnauthorized: true } }
  const noTls = await listen(t, (socket) => socket.once('data', () => socket.write('N')))
  t.equal(isUnavailable(await failureOf({ ...tls, port: noTls })), true, 'no TLS there')
})

void t.test('[STORE13] toPushError() turns absence into 503 and leaves the rest', (t) => {
  const away = withCode('57P01')
  const error = toPushError(away)
  t.ok(error instanceof PushError)
  t.match(error, { code: 'DATABASE_UNAVAILABLE', httpStatus: 503, retryable: true, cause: away })
  const other = withCode('23505')
  t.equal(toPushError(other), other)
  const push = new PushError('NOT_FOUND', 'no')
  t.equal(toPushError(push), push)
  t.match(toPushError('text'), { message: 'text' })
  t.end()
})

void t.test('[STORE13] shortageOf() tells what the database has run out of', (t) => {
  t.equal(shortageOf(withCode('53100')), 'the database has no room left')
  t.equal(shortageOf(withCode('53200')), 'the database has no memory left')
  t.equal(shortageOf(withCode('53000')), 'the database has no resources left')
  const quota = Object.assign(new Error('could not write: Disk quota exceeded'), { code: '58030' })
  t.equal(shortageOf(quota), 'the database has no room left')
  t.equal(shortageOf(withCode('58030')), null)
  t.equal(shortageOf(withCode('57P01')), null)
  t.equal(shortageOf(new Error('No space left on device')), null)
  t.match(toPushError(withCode('53100')), {
    code: 'DATABASE_UNAVAILABLE',
    message: 'the database has no room left',
  })
  t.end()
})

void t.test('endsSession() knows the failures after which PostgreSQL hangs up', (t) => {
  const of = (severity: string): Error => Object.assign(withCode('53100'), { severity })
  t.equal(endsSession(of('PANIC')), true)
  t.equal(endsSession(of('FATAL')), true)
  t.equal(endsSession(of('ERROR')), false)
  t.equal(endsSession(new Error('Connection terminated')), false)
  t.end()
})

void t.test('clientConfig() sets no time limit where none is wanted', (t) => {
  const config = clientConfig(
    { ...at('db', 5433), ssl: { rejectUnauthorized: true, ca: 'PEM' } },
    { name: 'n', statementTimeoutMs: 0 },
  )
  t.match(config, {
    host: 'db',
    port: 5433,
    application_name: 'n',
    ssl: { rejectUnauthorized: true, ca: 'PEM' },
  })
  t.notOk('statement_timeout' in config, 'no limit for migrations')
  t.notOk('query_timeout' in config)
  t.end()
})
