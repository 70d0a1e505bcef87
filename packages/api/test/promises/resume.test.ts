/** Promise 4: a stream goes on from any id, in one socket with what is new, without gap or repeat. */
import t from 'tap'
import { ApiClient, idOf } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import { offerStream, openStream, StreamClient } from '../support/ws-client.ts'
import { checkDelivered, checkStored, describeAnswers, Traffic } from './traffic.ts'

/** The stored test of 2,000 sockets takes minutes on a small machine. */
const SOCKETS = process.env['BELLWIRE_LONG_TESTS'] === undefined ? 300 : 2_000

const bellwire = await startBellwire(t)
const api = new ApiClient(bellwire)
t.teardown(() => api.close())

t.test(
  '[DLV10] A stream with after gets the rest and then what is new while messages flow',
  async (t) => {
    const user = await api.identity()
    const traffic = new Traffic(api, user, 8)
    await traffic.more(50)
    const opened: { readonly after: number; readonly stream: StreamClient }[] = []
    for (let round = 0; round < 20; round++) {
      await traffic.more(20)
      const { acknowledged } = traffic
      const after = round === 0 ? 0 : idOf(acknowledged[(round * 37) % acknowledged.length] ?? '')
      const stream = await openStream(bellwire.port, { token: user.clientToken, after })
      opened.push({ after, stream })
    }
    await traffic.more(50)
    await traffic.stop()
    const history = await api.history(user)
    t.equal(describeAnswers(traffic.refused), '')
    checkStored(t, history, traffic.acknowledged)
    for (const { after, stream } of opened) await checkDelivered(t, [stream], history, after)
  },
)

t.test(
  '[DLV11] A stream without after gets every message that is sent after its 101',
  async (t) => {
    const user = await api.identity()
    const traffic = new Traffic(api, user, 8)
    await traffic.more(20)
    for (let round = 0; round < 20; round++) {
      const stream = await openStream(bellwire.port, { token: user.clientToken })
      const first = idOf((await api.publish(user.applicationToken, 'after the 101')).text)
      await stream.untilId(first)
      const from = stream.ids[0] ?? 0
      await traffic.more(5)
      const history = await api.history(user)
      const due = history.filter((text) => idOf(text) >= from)
      await stream.untilId(idOf(due.at(-1) ?? ''))
      t.same(stream.texts.slice(0, due.length), due)
      stream.destroy()
    }
    await traffic.stop()
  },
)

t.test('[DLV12] after=0 gives everything kept, and a deleted id is a fine cursor', async (t) => {
  const user = await api.identity()
  const ids: number[] = []
  for (let index = 0; index < 250; index++) {
    ids.push(idOf((await api.publish(user.applicationToken, `${index}`)).text))
  }
  const last = ids.at(-1) ?? 0
  const deleted = [ids[0], ids[100], last]
  for (const id of deleted) {
    t.equal((await api.call(`DELETE /message/${id}`, { basic: user.basic })).status, 200)
  }
  const open = (after: number): Promise<StreamClient> =>
    openStream(bellwire.port, { token: user.clientToken, after })
  const afters = [0, ids[0] ?? 0, ids[100] ?? 0, ids[50] ?? 0, last]
  const streams = await Promise.all(afters.map(open))
  await api.publish(user.applicationToken, 'new')
  const history = await api.history(user)
  t.equal(history.length, 248)
  for (const [index, after] of afters.entries()) {
    const stream = streams[index]
    if (stream !== undefined) await checkDelivered(t, [stream], history, after)
  }
})

t.test(
  '[DLV13] An id that was never given out, or no number, is 400 before the upgrade',
  async (t) => {
    const user = await api.identity()
    const newest = idOf((await api.publish(user.applicationToken, 'newest')).text)
    const offers = [newest + 1, newest + 1_000_000, Number.MAX_SAFE_INTEGER, '9007199254740992']
    for (const after of [
      ...offers,
      '',
      'x',
      '-1',
      '1.5',
      '1e3',
      '0x1',
      '%201',
      '99999999999999999999',
    ]) {
      const answer = await offerStream(bellwire.port, { token: user.clientToken, after })
      t.equal(answer instanceof StreamClient, false, `after=${after}`)
      t.match(answer, { status: 400, text: /"error":"Bad Request","errorCode":400/ })
    }
    for (const after of [newest, '00']) {
      t.ok((await openStream(bellwire.port, { token: user.clientToken, after })).texts)
    }
  },
)

t.test(
  `[DLV14] ${SOCKETS} sockets that come and go miss nothing and get nothing twice`,
  async (t) => {
    const users = await Promise.all(Array.from({ length: 5 }, () => api.identity()))
    const traffics = users.map((user) => new Traffic(api, user, 2))
    await Promise.all(traffics.map((traffic) => traffic.more(5)))
    /** One device: opens, reads a little, goes with or without a word, comes back with its last id. */
    const device = async (number: number): Promise<{ user: number; ids: readonly number[] }> => {
      const user = number % users.length
      const token = users[user]?.clientToken ?? ''
      const ids: number[] = []
      for (let visit = 0; visit < 3; visit++) {
        const stream = await openStream(bellwire.port, { token, after: ids.at(-1) ?? 0 })
        await stream.until(() => stream.texts.length > number % 7)
        if (number % 3 === 0) stream.send(8, Uint8Array.of(3, 232))
        else stream.destroy()
        await stream.closed
        ids.push(...stream.ids)
      }
      return { user, ids }
    }
    const devices = await Promise.all(
      Array.from({ length: SOCKETS }, (_, number) => device(number)),
    )
    await Promise.all(traffics.map((traffic) => traffic.stop()))
    const due: (readonly number[])[] = []
    for (const [index, user] of users.entries()) {
      const history = await api.history(user)
      checkStored(t, history, traffics[index]?.acknowledged ?? [])
      t.equal(describeAnswers(traffics[index]?.refused ?? []), '')
      due.push(history.map(idOf))
    }
    const wrong = devices.filter(
      ({ user, ids }) => ids.join() !== due[user]?.slice(0, ids.length).join(),
    )
    t.same(wrong.slice(0, 1), [])
  },
)
