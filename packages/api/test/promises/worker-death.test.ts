/**
 * Promise 5: the death of a shard worker. The gateway runs in this process, so that a test can end
 * a worker thread from outside, as a crash would.
 */
import { loadConfig } from '@bellwire/common/config'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { prepareDatabase } from '../../src/database/prepare-database.ts'
import { startGateway } from '../../src/gateway.ts'
import { ApiClient } from '../support/api-client.ts'
import { startTestPostgres } from '../support/postgres.ts'
import { checkDelivered, checkRefusals, checkStored, openStreams, Traffic } from './traffic.ts'

const THREADS = 2

const connection = await startTestPostgres(t)
const dataDir = await mkdtemp(join(tmpdir(), 'bellwire-test-'))
const { config } = loadConfig({
  env: {
    GOTIFY_DATADIR: dataDir,
    GOTIFY_SERVER_LISTENADDR: '127.0.0.1',
    GOTIFY_SERVER_PORT: '0',
    GOTIFY_PASSSTRENGTH: '4',
    GOTIFY_SERVER_STREAM_SHARDTHREADS: String(THREADS),
  },
  cwd: dataDir,
  home: '',
  cpuCount: 2,
})
const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' })
await prepareDatabase(config, connection, log)
const gateway = await startGateway({ config, connection, shared: false, log })
const api = new ApiClient(gateway)
t.teardown(async () => {
  api.close()
  await gateway.stop()
  await rm(dataDir, { recursive: true, force: true })
})

async function untilReady(): Promise<void> {
  while (!gateway.supervisor.allReady) await new Promise((resolve) => setTimeout(resolve, 10))
}

t.test(
  '[SHARD1] A worker that dies under load costs no socket and no acknowledged message',
  async (t) => {
    const users = await Promise.all(Array.from({ length: 6 }, () => api.identity()))
    const streams = await Promise.all(
      users.map(({ clientToken }) =>
        openStreams(4, gateway.port, { token: clientToken, after: 0 }),
      ),
    )
    const traffics = users.map((user) => new Traffic(api, user, 8))
    const everyone = (count: number): Promise<unknown> =>
      Promise.all(traffics.map((traffic) => traffic.more(count)))
    await everyone(20)
    for (const thread of [0, 0, 1, 0, 1]) {
      const restarts = gateway.supervisor.restarts
      await gateway.supervisor.workers[thread]?.terminate()
      t.equal(gateway.supervisor.restarts, restarts + 1)
      await everyone(20)
      await untilReady()
    }
    await Promise.all(traffics.map((traffic) => traffic.stop()))

    for (const [index, user] of users.entries()) {
      const { acknowledged = [], refused = [], disorders } = traffics[index] ?? {}
      checkRefusals(t, refused)
      t.equal(disorders, 0, 'ids follow acknowledgements')
      const history = await api.history(user)
      checkStored(t, history, acknowledged)
      const own = streams[index] ?? []
      await checkDelivered(t, own, history)
      t.ok(
        own.every((stream) => !stream.isClosed),
        'sockets stay open',
      )
    }
  },
)

t.test(
  '[SHARD2] Every publish is answered while the worker is away, none is left hanging',
  async (t) => {
    const user = await api.identity()
    const [stream] = await openStreams(1, gateway.port, { token: user.clientToken })
    const traffic = new Traffic(api, user, 64)
    for (let round = 0; round < 3; round++) {
      await traffic.more(200)
      await Promise.all(gateway.supervisor.workers.map((worker) => worker.terminate()))
    }
    await traffic.more(200)
    await traffic.stop()
    t.comment(`${traffic.refused.length} refused, ${traffic.acknowledged.length} acknowledged`)
    t.ok(traffic.refused.length > 0, 'some were under way')
    checkRefusals(t, traffic.refused)
    const history = await api.history(user)
    checkStored(t, history, traffic.acknowledged)
    if (stream !== undefined) await checkDelivered(t, [stream], history)
  },
)

t.test('[SHARD3] A stopped reader survives the death of its worker', async (t) => {
  const user = await api.identity()
  const streams = await openStreams(3, gateway.port, { token: user.clientToken })
  for (const stream of streams) stream.pause()
  const traffic = new Traffic(api, user, 8, 16_384)
  await traffic.more(500)
  await gateway.supervisor.workers[0]?.terminate()
  streams[0]?.resume()
  await traffic.more(100)
  await gateway.supervisor.workers[1]?.terminate()
  await traffic.more(100)
  await traffic.stop()
  for (const stream of streams) stream.resume()
  const history = await api.history(user)
  checkStored(t, history, traffic.acknowledged)
  await checkDelivered(t, streams, history)
})
