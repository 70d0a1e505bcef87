/** Deploys without a storm: connects above a rate wait, and a stop closes in slices. */
import type { ConnectionNumber, UserId } from '@bellwire/common'
import t from 'tap'
import { closeConnections } from '../../src/stream/close-connections.ts'
import { ConnectRate } from '../../src/stream/connect-rate.ts'
import { Connection, type Socket } from '../../src/stream/connection.ts'
import { ApiClient } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import { offerStream, StreamClient } from '../support/ws-client.ts'
import { openStreams } from '../promises/traffic.ts'

/** Each start takes seconds on a busy machine. */
t.setTimeout(120_000)

t.test('[LIM20] ConnectRate admits one second of connects at once and then the rate', (t) => {
  let now = 0
  const rate = new ConnectRate(10, () => now)
  const admitted = (): number => {
    let count = 0
    while (rate.admits()) count++
    return count
  }
  t.equal(admitted(), 10)
  t.equal(admitted(), 0)
  now = 250
  t.equal(admitted(), 2)
  now = 300
  t.equal(admitted(), 1, 'parts of a connect are not lost')
  now = 3_600_000
  t.equal(admitted(), 10, 'and never more than a second gathers')
  t.end()
})

t.test(
  '[LIM20] Streams above GOTIFY_SERVER_STREAM_CONNECTSPERSECOND are told to come later',
  async (t) => {
    const bellwire = await startBellwire(t, { GOTIFY_SERVER_STREAM_CONNECTSPERSECOND: '5' })
    const api = new ApiClient(bellwire)
    t.teardown(() => api.close())
    const { clientToken: token } = await api.identity()
    const offers = Array.from({ length: 60 }, () => offerStream(bellwire.port, { token }))
    const results = await Promise.all(offers)
    const open = results.filter((result) => result instanceof StreamClient)
    const refused = results.flatMap((result) => (result instanceof StreamClient ? [] : [result]))
    t.ok(open.length >= 5)
    t.ok(refused.length > 0)
    const delays = new Set<number>()
    for (const { status, text } of refused) {
      t.equal(status, 503)
      delays.add(Number(/^retry-after: (\d+)\r$/im.exec(text)?.[1]))
    }
    t.ok([...delays].every((seconds) => seconds >= 1 && seconds <= 10))
    t.ok(delays.size > 1, 'not all at the same time')
    for (const stream of open) stream.destroy()
  },
)

t.test('[LIFE24] closeConnections() spreads any number evenly over the seconds', async (t) => {
  const seconds = 2
  const spread = async (count: number): Promise<void> => {
    const { connections, closedAt } = openConnections(count)
    const start = performance.now()
    await closeConnections(connections, seconds)
    t.equal(closedAt.size, count)
    const tenths = new Map<number, number>()
    for (const at of closedAt.values()) {
      const tenth = Math.floor((at - start) / (seconds * 100))
      tenths.set(tenth, (tenths.get(tenth) ?? 0) + 1)
    }
    t.ok(Math.max(...tenths.values()) < count / 3, `${count} in ${[...tenths.values()].join()}`)
    t.ok(tenths.size > 5, 'most of the time is used')
  }
  await Promise.all([60, 200, 3_000].map(spread))
})

t.test('[LIFE24] closeConnections() leaves out who left meanwhile', async (t) => {
  const { connections, streams, closedAt } = openConnections(40)
  const done = closeConnections(connections, 1)
  streams.delete(40 as ConnectionNumber)
  await done
  t.equal(closedAt.size, 39)
  t.notOk(closedAt.has(40))
})

t.test(
  '[LIFE24] closeConnections() closes all of a long row in turns without seconds',
  async (t) => {
    const { connections, closedAt } = openConnections(1_200)
    let turns = 0
    let counting = setImmediate(function count() {
      turns++
      counting = setImmediate(count)
    })
    await closeConnections(connections, 0)
    clearImmediate(counting)
    t.equal(closedAt.size, 1_200)
    t.ok(turns > 1, 'the event loop went on')
  },
)

t.test('[LIFE24] A stop with many streams open ends with status 0', async (t) => {
  const bellwire = await startBellwire(t, { GOTIFY_SERVER_STREAM_DRAINSECONDS: '1' })
  const api = new ApiClient(bellwire)
  t.teardown(() => api.close())
  const { clientToken } = await api.identity()
  const streams = await openStreams(300, bellwire.port, { token: clientToken })
  const stopped = bellwire.stop()
  for (const stream of streams) t.same(await stream.closed, { code: 1001 })
  t.equal(await stopped, 0)
})

/** Streams without sockets, and when each was closed, by number. */
function openConnections(count: number): {
  readonly connections: Parameters<typeof closeConnections>[0]
  readonly streams: Map<ConnectionNumber, Connection>
  readonly closedAt: ReadonlyMap<number, number>
} {
  const closedAt = new Map<number, number>()
  const streams = new Map<ConnectionNumber, Connection>()
  for (let index = 1; index <= count; index++) {
    const number = index as ConnectionNumber
    const socket: Socket = {
      send: () => 1,
      getBufferedAmount: () => 0,
      close: () => t.fail('no Close frame was sent'),
      end: () => closedAt.set(index, performance.now()),
      ping: () => 1,
    }
    const owner = { userId: 1 as UserId, clientId: 0 as const, cursor: 0 }
    streams.set(number, new Connection(socket, { number, ...owner, endsWithoutFrame: false }))
  }
  const connections = {
    all: () => streams.values(),
    has: (number: ConnectionNumber) => streams.has(number),
  }
  return { connections, streams, closedAt }
}
