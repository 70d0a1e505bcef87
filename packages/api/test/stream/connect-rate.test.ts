/** Deploys without a storm: connects above a rate wait, and a stop closes in slices. */
import t from 'tap'
import { ConnectRate } from '../../src/stream/connect-rate.ts'
import { ApiClient } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import { offerStream, StreamClient } from '../support/ws-client.ts'
import { openStreams } from '../promises/traffic.ts'

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

t.test('[LIFE24] A stop closes many streams over GOTIFY_SERVER_STREAM_DRAINSECONDS', async (t) => {
  const bellwire = await startBellwire(t, { GOTIFY_SERVER_STREAM_DRAINSECONDS: '3' })
  const api = new ApiClient(bellwire)
  t.teardown(() => api.close())
  const { clientToken } = await api.identity()
  const streams = await openStreams(600, bellwire.port, { token: clientToken })
  const stopped = bellwire.stop()
  await Promise.race(streams.map((stream) => stream.closed))
  await new Promise((resolve) => setTimeout(resolve, 50))
  const open = streams.filter((stream) => !stream.isClosed).length
  t.ok(open > 0, 'some are closed, others stay for a while')
  for (const stream of streams) t.same(await stream.closed, { code: 1001 })
  t.equal(await stopped, 0)
})
