import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { StartError } from '../../src/http/start-error.ts'
import { inTurn } from '../../src/http/start-turns.ts'
import { RawConnection } from './raw-connection.ts'
import { startTestServer } from './test-server.ts'

const NO_PROC = process.platform === 'linux' ? false : 'the kernel is asked in /proc'
/** As /proc/net/tcp writes them. */
const ESTABLISHED = '01'
const KEEP_ALIVE_TIMER = '02'

const REQUEST = 'GET /version HTTP/1.1\r\nHost: h\r\n\r\n'

/** Connects a thousand times at once and says how many got through; a second try comes after 1 s. */
const CROWD = `
  const { connect } = require('node:net')
  let connected = 0
  const end = () => process.stdout.write(String(connected), () => process.exit())
  const silence = setTimeout(end, 900)
  for (let index = 0; index < 1000; index++) {
    connect(Number(process.argv[1]), '127.0.0.1', () => {
      silence.refresh()
      if (++connected === 1000) end()
    })
  }
`

t.test('HttpServer.listen() on TCP', async (t) => {
  t.test('tells address and port', async (t) => {
    const { server, port } = await startTestServer(t)
    t.ok(port > 0)
    t.equal(server.connections, 0)
  })

  t.test('[LIFE22] names the address it could not have', async (t) => {
    const { port } = await startTestServer(t)
    await t.rejects(startTestServer(t, { port }), {
      name: 'StartError',
      message: `Cannot listen on 127.0.0.1:${port}: another process listens there`,
    })
    await t.rejects(startTestServer(t, { address: '192.0.2.1' }), {
      message: /belongs to no network interface/,
    })
    await t.rejects(startTestServer(t, { address: 'no.such.host.invalid' }), StartError)
  })

  t.test('shares a port only when it is told to', async (t) => {
    const first = await startTestServer(t, { port: await freePort(), sharedPort: true })
    const second = await startTestServer(t, { port: first.port, sharedPort: true })
    t.equal(second.port, first.port)
    await t.rejects(startTestServer(t, { port: first.port }), StartError)
    const alone = await startTestServer(t, { port: await freePort() })
    await t.rejects(startTestServer(t, { port: alone.port }), StartError)
  })

  t.test('[LIFE22] takes its port without a pause in which another one could', async (t) => {
    const port = await freePort()
    const starts = [startTestServer(t, { port }), startTestServer(t, { port })]
    const results = await Promise.allSettled(starts)
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  })

  t.test('[LIM15] lets a thousand connections wait while the process is busy', async (t) => {
    const { port } = await startTestServer(t)
    // Nothing is accepted until it returns.
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', CROWD, String(port)], {
      encoding: 'utf8',
    })
    t.equal(stderr + stdout, '1000')
  })

  t.test('[LIM16] sets TCP keep-alive on every connection', { skip: NO_PROC }, async (t) => {
    const { port } = await startTestServer(t, { keepAliveSeconds: 7 })
    const without = await startTestServer(t)
    // Enough for all queues.
    t.strictSame(
      await keepAliveTimers(port, 40),
      Array.from({ length: 40 }, () => true),
    )
    t.strictSame(await keepAliveTimers(without.port, 1), [false])
  })

  t.test('[LIFE20] takes those that wait before it closes', async (t) => {
    const { server, port } = await startTestServer(t)
    const open = Array.from({ length: 20 }, () => RawConnection.open(port))
    // Known to the kernel now, and not yet to the server.
    await new Promise<void>((resolve) => process.nextTick(resolve))
    const closed = server.stopAccepting()
    for (const connection of await Promise.all(open)) {
      connection.write(REQUEST)
      t.equal((await connection.answer())?.body, 'version')
      connection.destroy()
    }
    await closed
  })

  t.test('listens on every address without one', async (t) => {
    const { port } = await startTestServer(t, { address: '' })
    const connection = await RawConnection.open(port)
    connection.write(REQUEST)
    t.equal((await connection.answer())?.body, 'version')
    connection.destroy()
  })
})

t.test('[LIFE22] inTurn() lets one start at a time on a port', { skip: NO_PROC }, async (t) => {
  const [one, other] = [await freePort(), await freePort()]
  let atWork = 0
  const stopping = new AbortController()
  const options = { stopping: stopping.signal, log: pino({ level: 'silent' }) }
  const start = (ports: readonly number[], ends: Promise<unknown>): Promise<void> =>
    inTurn({ ...options, ports }, async () => {
      atWork++
      t.equal(atWork, 1)
      await ends
      atWork--
    })
  const failing = Promise.reject(new Error('cannot'))
  await t.rejects(start([one], failing), { message: 'cannot' })
  atWork = 0
  await inTurn({ ...options, ports: [0] }, () => start([0, one], sleep(50)))
  await Promise.all([
    start([one], sleep(50)),
    start([other, one], sleep(50)),
    start([one, other], sleep(50)),
    start([one, one], sleep(50)),
  ])
  const long = new AbortController()
  const first = start([one], once(long.signal, 'abort'))
  const second = start([one], Promise.resolve())
  stopping.abort()
  await t.rejects(second, { name: 'AbortError' })
  long.abort()
  await first
})

t.test('HttpServer.listen() on a unix socket', async (t) => {
  t.test('serves it and removes its file', async (t) => {
    const path = join(await shortFolder(t), 'socket')
    const { server } = await startTestServer(t, { address: `unix:${path}` })
    t.equal(await version(path), 'version')
    await server.stopAccepting()
    await t.rejects(stat(path))
  })

  t.test('[LIFE22] replaces what a dead server left', async (t) => {
    const path = join(await shortFolder(t), 'socket')
    await leaveSocket(t, path)
    await startTestServer(t, { address: `unix:${path}` })
    t.equal(await version(path), 'version')
  })

  t.test('[LIFE22] refuses a path where somebody listens', async (t) => {
    const path = join(await shortFolder(t), 'socket')
    await startTestServer(t, { address: `unix:${path}` })
    await t.rejects(startTestServer(t, { address: `unix:${path}` }), {
      name: 'StartError',
      message: /another process listens there/,
    })
    t.equal(await version(path), 'version')
  })

  t.test('leaves the file of a newer server alone', async (t) => {
    const path = join(await shortFolder(t), 'socket')
    const older = await startTestServer(t, { address: `unix:${path}` })
    await replaceSocket(t, path)
    await older.server.stopAccepting()
    t.ok((await stat(path)).isSocket())
  })

  t.test('refuses paths that can hold no socket', async (t) => {
    const dir = await shortFolder(t)
    await writeFile(join(dir, 'file'), 'text')
    const cases = [
      [join(dir, 'file'), /no socket is in the way/],
      [join(dir, 'missing', 'socket'), /ENOENT/],
      [join(dir, 'x'.repeat(120)), /at most 107 bytes/],
    ] as const
    for (const [path, message] of cases) {
      await t.rejects(startTestServer(t, { address: `unix:${path}` }), { message })
    }
    t.ok((await stat(join(dir, 'file'))).isFile())
  })
})

async function version(path: string): Promise<string | undefined> {
  const connection = await RawConnection.open(path)
  connection.write(REQUEST)
  const answer = await connection.answer()
  connection.destroy()
  return answer?.body
}

/** A path of a socket must be short, and tap's own folders are long. */
async function shortFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bellwire-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function freePort(): Promise<number> {
  const server = createServer()
  await listening(server, { port: 0, host: '127.0.0.1' })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No port')
  return address.port
}

/** Of each new connection: whether the kernel will probe it within 7 s. */
async function keepAliveTimers(port: number, count: number): Promise<boolean[]> {
  const open = await Promise.all(Array.from({ length: count }, () => RawConnection.open(port)))
  for (const connection of open) connection.write(REQUEST)
  await Promise.all(open.map((connection) => connection.answer()))
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = (await readFile('/proc/self/net/tcp', 'utf8')).split('\n')
  for (const connection of open) connection.destroy()
  return lines
    .map((line) => line.trim().split(/ +/))
    .filter(([, from, , state]) => from?.endsWith(local) === true && state === ESTABLISHED)
    .map(([, , , , , timer = '']) => {
      const [kind, hundredths = ''] = timer.split(':')
      return kind === KEEP_ALIVE_TIMER && parseInt(hundredths, 16) <= 700
    })
}

/** A socket file that nobody listens on: Node removes its own, so move it away before the close. */
async function leaveSocket(t: Test, path: string): Promise<void> {
  const server = createServer()
  await listening(server, { path: `${path}.live` })
  await rename(`${path}.live`, path)
  await new Promise((resolve) => server.close(resolve))
  t.ok((await stat(path)).isSocket())
}

async function replaceSocket(t: Test, path: string): Promise<void> {
  await mkdir(`${path}.d`)
  const server = createServer()
  await listening(server, { path: join(`${path}.d`, 's') })
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  await rename(join(`${path}.d`, 's'), path)
}

function listening(server: Server, options: object): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, resolve)
  })
}
