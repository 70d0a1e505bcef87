/** Promise 3: who does not read delays nobody, holds little memory and loses nothing. */
import t from 'tap'
import { ApiClient, idOf, type Identity } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import { openStream } from '../support/ws-client.ts'
import { checkDelivered, checkStored, describeAnswers, openStreams, Traffic } from './traffic.ts'

const MIB = 1_048_576

const bellwire = await startBellwire(t)
const api = new ApiClient(bellwire)
t.teardown(() => api.close())

async function publishMany(
  to: Identity,
  count: number,
  size: number,
  publishers: number,
): Promise<string[]> {
  const texts: string[] = []
  const padding = 'x'.repeat(size)
  let left = count
  const run = async (): Promise<void> => {
    while (left-- > 0) {
      const answer = await api.publish(to.applicationToken, `${left} ${padding}`)
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
      texts.push(answer.text)
    }
  }
  await Promise.all(Array.from({ length: publishers }, run))
  return texts
}

t.test(
  '[DLV20] A stream that stops reading gets all 3,000 messages once it reads on',
  async (t) => {
    const [slow, other] = await Promise.all([api.identity(), api.identity()])
    const [stopped, sameUser, toOther] = await Promise.all([
      openStream(bellwire.port, { token: slow.clientToken }),
      openStream(bellwire.port, { token: slow.clientToken }),
      openStream(bellwire.port, { token: other.clientToken }),
    ])
    stopped.pause()
    const [acknowledged] = await Promise.all([
      publishMany(slow, 3_000, 2_048, 16),
      publishMany(other, 100, 10, 1),
    ])
    t.equal(stopped.texts.length, 0, 'every publish was acknowledged while the stream stood still')
    const history = await api.history(slow)
    checkStored(t, history, acknowledged)
    await checkDelivered(t, [sameUser], history)
    await checkDelivered(t, [toOther], await api.history(other))
    t.equal(stopped.texts.length, 0, 'others had everything before the stream went on')

    stopped.resume()
    await checkDelivered(t, [stopped], history)
    const next = await api.publish(slow.applicationToken, 'live again')
    await stopped.untilId(idOf(next.text))
    t.equal(stopped.texts.at(-1), next.text)
    t.equal(stopped.texts.length, 3_001)
  },
)

t.test('[DLV21] A stream that stops and goes on again and again gets everything', async (t) => {
  const user = await api.identity()
  const streams = await openStreams(5, bellwire.port, { token: user.clientToken })
  const traffic = new Traffic(api, user, 8, 8_192)
  for (let round = 0; round < 12; round++) {
    const stream = streams[round % streams.length]
    if (round % 3 === 2) stream?.resume()
    else stream?.pause()
    await traffic.more(150)
  }
  await traffic.stop()
  for (const stream of streams) stream.resume()
  t.equal(describeAnswers(traffic.refused), '')
  const history = await api.history(user)
  checkStored(t, history, traffic.acknowledged)
  await checkDelivered(t, streams, history)
})

t.test('[LIM1] Streams that do not read hold a bounded part of what waits for them', async (t) => {
  const user = await api.identity()
  await publishMany(user, 500, 8_192, 16)
  const streams = await openStreams(20, bellwire.port, { token: user.clientToken })
  for (const stream of streams) stream.pause()
  const before = await bellwire.residentBytes()
  await publishMany(user, 2_000, 8_192, 16)
  const grown = (await bellwire.residentBytes()) - before
  // The system's own buffers take about 4 MiB of each stream's 16; 240 MiB are left.
  t.comment(`grown by ${Math.round(grown / MIB)} MiB`)
  t.ok(grown < 120 * MIB, 'most of it is in the log only')
  for (const stream of streams) stream.destroy()
})
