/** HTTPS in a cluster on one host: every member serves it on one port, and takes up new certificates. */
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { probePort } from '../../src/http/probe-port.ts'
import { type Bellwire, runToEnd, startBellwire } from '../support/bellwire.ts'
import { createTestCertificate } from '../support/test-certificate.ts'
import { adminPost, certificateFiles, tlsSettings } from './certificate-files.ts'
import { callTls, eventually, openTlsStream } from './tls-client.ts'

t.setTimeout(300_000)

const CLUSTER = {
  GOTIFY_SERVER_CLUSTER_PROCESSES: '2',
  GOTIFY_SERVER_STREAM_SHARDTHREADS: '1',
}
/** The system deals connections out to the members by chance: of so many both get some. */
const BOTH = 24

t.test('[CLU16] A cluster serves HTTPS', async (t) => {
  const files = await certificateFiles(t)
  const first = await createTestCertificate()
  await files.write(first)
  const port = await probePort('127.0.0.1', 0)
  const bellwire = await startBellwire(t, { ...CLUSTER, ...tlsSettings(files, port) })
  const made = await callTls(port, '/application', adminPost({ name: 'a' }))
  const application = (JSON.parse(made.text) as { token: string }).token
  const client = await callTls(port, '/client', adminPost({ name: 'c' }))
  const token = (JSON.parse(client.text) as { token: string }).token
  const streams = await Promise.all(Array.from({ length: BOTH }, () => openTlsStream(port, token)))
  t.teardown(() => streams.forEach((stream) => stream.destroy()))
  async function publishToAll(message: string): Promise<void> {
    const answer = await callTls(port, `/message?token=${application}`, adminPost({ message }))
    t.equal(answer.status, 200, message)
    await eventually(() => streams.every((stream) => stream.text().includes(message)))
    t.notOk(
      streams.some((stream) => stream.ended()),
      'all streams are open',
    )
  }

  await t.test('every member has streams, whoever takes the publish', async (t) => {
    t.equal(membersThatServe(bellwire), 2)
    for (let round = 0; round < 6; round++) await publishToAll(`under the first ${round}.`)
  })

  await t.test('every member sends readers of plain HTTP there', async (t) => {
    for (let call = 0; call < BOTH; call++) {
      const answer = await fetch(`http://127.0.0.1:${bellwire.port}/message?limit=1`, {
        redirect: 'manual',
        headers: { connection: 'close' },
      })
      t.equal(answer.headers.get('location'), `https://127.0.0.1:${port}/message?limit=1`)
    }
  })

  await t.test('every member takes up a new certificate, and streams go on', async () => {
    const second = await createTestCertificate()
    await files.write(second)
    await eventually(() => allShow(port, second.serialNumber))
    await publishToAll('under the second')
  })

  await t.test('so do members that replace others', async (t) => {
    const third = await createTestCertificate()
    await files.write(third)
    process.kill(bellwire.pid, 'SIGHUP')
    await eventually(() => bellwire.logs.some((line) => line.includes('all members were replaced')))
    await eventually(() => allShow(port, third.serialNumber))
    const answer = await callTls(port, `/message?token=${application}`, adminPost({ message: 'm' }))
    t.equal(answer.status, 200)
  })

  await t.test('and all of them stop in time', async (t) => {
    t.equal(await bellwire.stop(), 0)
  })
})

t.test('[CLU16] A cluster that cannot serve HTTPS says why in one line', async (t) => {
  const files = await certificateFiles(t)
  const good = await createTestCertificate()
  await files.write(good)
  const stranger = createServer().listen(0, '127.0.0.1')
  t.teardown(() => void stranger.close())
  await once(stranger, 'listening')
  const { port } = stranger.address() as AddressInfo
  const taken = await runToEnd(t, { ...CLUSTER, ...tlsSettings(files, port) })
  t.equal(
    taken.stderr,
    `Bellwire cannot start: Cannot listen on 127.0.0.1:${port} (GOTIFY_SERVER_SSL_PORT): another process listens there\n`,
  )

  await files.write({ ...good, key: '' })
  const free = await probePort('127.0.0.1', 0)
  const { stderr } = await runToEnd(t, { ...CLUSTER, ...tlsSettings(files, free) })
  t.match(
    stderr,
    /^Bellwire cannot start: .*Cannot serve HTTPS \(.*\): .*key\.pem: it holds nothing.*\n$/,
  )
})

/** How many members have said that they serve HTTPS. */
function membersThatServe({ logs }: Bellwire): number {
  const lines = logs.filter((line) => line.includes('"msg":"HTTPS is served"'))
  return new Set(lines.map((line) => /"member":(\d+)/.exec(line)?.[1])).size
}

/** False also for a connection that stood in the queue of a door in the instant it closed: the system resets it. */
async function allShow(port: number, serialNumber: string): Promise<boolean> {
  try {
    return (await shownByAll(port)).every((shown) => shown === serialNumber)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return false
    throw error
  }
}

/**
 * The certificates that new connections see. None of them is reset, because a member accepts all who
 * wait before it closes its sockets; to come in the microseconds after that takes thousands.
 */
async function shownByAll(port: number): Promise<readonly string[]> {
  const calls = Array.from({ length: BOTH }, () => callTls(port, '/health'))
  return (await Promise.all(calls)).map(({ serialNumber }) => serialNumber)
}
