/** Promise 8: what cannot start says why in one line, and ends with another status than 0. */
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { childrenOf, runToEnd, startBellwire } from '../support/bellwire.ts'

t.test('[CONF3] A wrong setting is named with its value and what is allowed', async (t) => {
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['GOTIFY_SERVER_PORT', 'eighty', /GOTIFY_SERVER_PORT.*eighty/],
    ['GOTIFY_SERVER_PORT', '70000', /GOTIFY_SERVER_PORT.*65535.*70000/],
    ['GOTIFY_SERVER_STREAM_SHARDCOUNT', '0', /GOTIFY_SERVER_STREAM_SHARDCOUNT.*4096.*"0"/],
    ['GOTIFY_SERVER_STREAM_SHARDCOUNT', '4097', /GOTIFY_SERVER_STREAM_SHARDCOUNT.*4096.*"4097"/],
    ['GOTIFY_DATABASE_DIALECT', 'oracle', /GOTIFY_DATABASE_DIALECT.*oracle/],
    ['GOTIFY_SERVER_STREAM_ALLOWEDORIGINS', '(', /GOTIFY_SERVER_STREAM_ALLOWEDORIGINS/],
  ]
  await Promise.all(
    wrong.map(async ([name, value, line]) => {
      const { ending, stderr } = await runToEnd(t, { [name]: value })
      t.equal(ending, 1, `${name}=${value}`)
      t.match(stderr, line)
      t.match(stderr, /^Bellwire cannot start: .*\n$/, 'one line')
    }),
  )
})

t.test('[STORE5] A data folder that cannot be made ends the start with its path', async (t) => {
  const file = join(await mkdtemp(join(tmpdir(), 'bellwire-test-')), 'file')
  await writeFile(file, '')
  t.teardown(() => rm(dirname(file), { recursive: true }))
  // The last one is there, and nobody may write in it.
  const folders = ['/proc/bellwire', '/proc/bellwire/below', file, join(file, 'below'), '/sys']
  for (const folder of folders) {
    const { ending, stderr } = await runToEnd(t, { GOTIFY_DATADIR: folder })
    t.equal(ending, 1)
    t.match(
      stderr,
      /^Bellwire cannot start: Cannot start .* \(GOTIFY_DATADIR\): (?:the folder cannot be made|no permission) \(.*\)\n$/,
      folder,
    )
  }
})

t.test('[LIFE22] An address that cannot be had is told before a database is made', async (t) => {
  const addresses = [
    { GOTIFY_SERVER_LISTENADDR: '300.1.1.1' },
    { GOTIFY_SERVER_LISTENADDR: 'not-a-host.invalid' },
    { GOTIFY_SERVER_LISTENADDR: '192.0.2.1' },
    { GOTIFY_SERVER_LISTENADDR: 'fe80::1' },
    { GOTIFY_SERVER_LISTENADDR: 'unix:/proc/bellwire/socket' },
  ]
  for (const address of addresses) {
    const { ending, stdout, stderr } = await runToEnd(t, address)
    t.equal(ending, 1)
    t.match(
      stderr,
      /^Bellwire cannot start: Cannot listen on .* \(GOTIFY_SERVER_LISTENADDR\): .*\n$/,
    )
    t.ok(stderr.includes(address.GOTIFY_SERVER_LISTENADDR))
    t.notMatch(stdout, /Creating the database|"level":"(?:warn|error)"/)
  }
})

t.test('[LIFE22] Of two that start in the same moment one gets the port', async (t) => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  const alone = { GOTIFY_SERVER_PORT: String(port) }
  const cluster = { ...alone, GOTIFY_SERVER_CLUSTER_PROCESSES: '2' }
  const starts = await Promise.allSettled([startBellwire(t, cluster), startBellwire(t, alone)])
  const refused = starts.filter((start) => start.status === 'rejected')
  t.equal(refused.length, 1)
  t.match(String(refused[0]?.reason), /Cannot listen on .*: another process listens there/)
})

t.test(
  '[LIFE22] A folder of images that cannot be used is told before a database is made',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'bellwire-test-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const [file, closed] = [join(folder, 'file'), join(folder, 'closed')]
    await writeFile(file, '')
    await mkdir(closed)
    await chmod(closed, 0o500)
    const wrong = [file, join(file, 'below'), '/proc/bellwire']
    // Root may write anywhere.
    if (process.getuid?.() !== 0) wrong.push(closed, join(closed, 'below'))
    for (const images of wrong) {
      const { ending, stdout, stderr } = await runToEnd(t, { GOTIFY_UPLOADEDIMAGESDIR: images })
      t.equal(ending, 1)
      t.match(
        stderr,
        /^Bellwire cannot start: Cannot keep images in .* \(GOTIFY_UPLOADEDIMAGESDIR\): .*\n$/,
      )
      t.ok(stderr.includes(`"${images}"`))
      t.notMatch(stdout, /Creating the database|"level":"(?:warn|error)"/)
    }
  },
)

t.test(
  '[LIFE22] A certificate that cannot be read is told before a database is made',
  async (t) => {
    const { ending, stdout, stderr } = await runToEnd(t, {
      GOTIFY_SERVER_SSL_ENABLED: 'true',
      GOTIFY_SERVER_SSL_LISTENADDR: '127.0.0.1',
      GOTIFY_SERVER_SSL_PORT: '0',
      GOTIFY_SERVER_SSL_CERTFILE: '/nowhere/cert.pem',
      GOTIFY_SERVER_SSL_CERTKEY: '/nowhere/key.pem',
    })
    t.equal(ending, 1)
    t.equal(
      stderr,
      'Bellwire cannot start: Cannot serve HTTPS (GOTIFY_SERVER_SSL_CERTFILE, GOTIFY_SERVER_SSL_CERTKEY): /nowhere/cert.pem: there is no such file\n',
    )
    t.notMatch(stdout, /Creating the database|"level":"(?:warn|error)"/)
  },
)

t.test('[LIFE22] A port that is taken ends the start, and leaves nothing behind', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  t.teardown(() => holder.close())
  const { port } = holder.address() as AddressInfo
  const { ending, stdout, stderr } = await runToEnd(t, { GOTIFY_SERVER_PORT: String(port) })
  t.equal(ending, 1)
  t.notMatch(stdout, 'Creating the database')
  t.equal(
    stderr,
    `Bellwire cannot start: Cannot listen on 127.0.0.1:${port} (GOTIFY_SERVER_PORT): another process listens there\n`,
  )
})

t.test('[LIFE22] Who is told to stop while it waits for its turn ends with status 0', async (t) => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  const holder = createServer().listen(`\0bellwire starts on port ${port}`)
  t.teardown(() => holder.close())
  const before = new Set(await childrenOf(process.pid))
  const run = runToEnd(t, { GOTIFY_SERVER_PORT: String(port) })
  const [waiter] = (await once(holder, 'connection')) as [Socket]
  const [started = 0] = (await childrenOf(process.pid)).filter((pid) => !before.has(pid))
  process.kill(started, 'SIGTERM')
  const { ending, stderr } = await run
  waiter.destroy()
  t.equal(ending, 0)
  t.equal(stderr, '')
})

t.test('[STORE3] A second Bellwire on the same data folder ends, the first goes on', async (t) => {
  const first = await startBellwire(t)
  const { ending, stderr } = await runToEnd(t, { GOTIFY_DATADIR: first.dataDir })
  t.equal(ending, 1)
  t.match(stderr, /^Bellwire cannot start: .*\n$/)
  t.equal((await fetch(`http://127.0.0.1:${first.port}/health`)).status, 200)
})

t.test('A line of the log has each of its fields once', async (t) => {
  const { logs } = await startBellwire(t, { GOTIFY_LOGLEVEL: 'debug' })
  const lines = logs.filter((line) => line.startsWith('{'))
  t.ok(lines.length > 5)
  const changed = lines.filter((line) => JSON.stringify(JSON.parse(line)) !== line)
  t.strictSame(changed, [], 'the same when read and written again')
})

t.test('[LIFE23] A database that is not there ends the start with its address', async (t) => {
  const { ending, stderr } = await runToEnd(t, {
    GOTIFY_DATABASE_DIALECT: 'postgres',
    GOTIFY_DATABASE_CONNECTION: 'host=127.0.0.1 port=1 user=nobody password=secret dbname=none',
  })
  t.equal(ending, 1)
  t.match(stderr, /^Bellwire cannot start: .*127\.0\.0\.1.*\n$/)
  t.notMatch(stderr, 'secret')
})
