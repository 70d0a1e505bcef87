/** Promise 1 with an Idempotency-Key: however often a publish is sent, its message exists once. */
import t from 'tap'
import { type Answer, ApiClient, idOf, type Identity } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import { openStream } from '../support/ws-client.ts'
import { checkDelivered, openStreams } from './traffic.ts'

const bellwire = await startBellwire(t)
const api = new ApiClient(bellwire)
t.teardown(() => api.close())
const user: Identity = await api.identity()

function send(key: string, json: object, token = user.applicationToken): Promise<Answer> {
  return api.call('POST /message', { token, json, headers: { 'idempotency-key': key } })
}

t.test('[PUB10] A repeat answers 200 with the first message, the same text', async (t) => {
  const stream = await openStream(bellwire.port, { token: user.clientToken })
  const message = { message: 'once', title: 'T', priority: 3, extras: { 'a::b': { n: 1 } } }
  const first = await send('repeat', message)
  t.equal(first.status, 200)
  for (let again = 0; again < 3; again++) {
    const answer = await send('repeat', message)
    t.equal(answer.status, 200)
    t.equal(answer.text, first.text)
  }
  const other = await api.publish(user.applicationToken, 'without a key')
  await stream.untilId(idOf(other.text))
  t.same(stream.texts, [first.text, other.text], 'a repeat is not delivered again')
})

t.test('[PUB11] Ten at once with one key make one message and get one answer', async (t) => {
  const streams = await openStreams(2, bellwire.port, { token: user.clientToken, after: 0 })
  for (let round = 0; round < 20; round++) {
    const one = { message: `at once ${round}` }
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => send(`at once ${round}`, one)),
    )
    t.same([...new Set(answers.map(({ status }) => status))], [200])
    t.equal(new Set(answers.map(({ text }) => text)).size, 1)
  }
  const history = await api.history(user)
  t.equal(history.filter((text) => text.includes('at once')).length, 20)
  await checkDelivered(t, streams, history)
})

t.test('[PUB12] The same key with another body is 422 and stores nothing', async (t) => {
  t.equal((await send('other', { message: 'a' })).status, 200)
  for (const message of [
    { message: 'b' },
    { message: 'a', title: 'b' },
    { message: 'a', priority: 1 },
    { message: 'a', extras: { 'a::b': {} } },
  ]) {
    t.match(await send('other', message), {
      status: 422,
      text: /^\{"error":"Unprocessable Entity","errorCode":422,"errorDescription":"/,
    })
  }
  const history = await api.history(user)
  t.equal(history.filter((text) => text.includes('"message":"b"')).length, 0)
})

t.test('[PUB13] A key belongs to its application', async (t) => {
  const [mine, theirs] = await Promise.all([
    send('shared', { message: 'mine' }),
    api.identity().then((other) => send('shared', { message: 'theirs' }, other.applicationToken)),
  ])
  t.same([mine.status, theirs.status], [200, 200])
  const { text } = await api.call('POST /application', {
    basic: user.basic,
    json: { name: 'second' },
  })
  const { token } = JSON.parse(text) as { token: string }
  t.equal((await send('shared', { message: 'second' }, token)).status, 200)
})

t.test('[PUB14] A key has up to 255 characters and lives as long as its message', async (t) => {
  t.equal((await send('k'.repeat(255), { message: 'long key' })).status, 200)
  t.match(await send('k'.repeat(256), { message: 'long key' }), { status: 400, text: /255/ })
  const [one, two] = [await send('', { message: 'x' }), await send('', { message: 'y' })]
  t.match([one, two], [{ status: 200 }, { status: 200 }], 'an empty one counts as none')
  const first = await send('deleted', { message: 'first' })
  await api.call(`DELETE /message/${idOf(first.text)}`, { basic: user.basic })
  const second = await send('deleted', { message: 'second' })
  t.equal(second.status, 200)
  t.ok(idOf(second.text) > idOf(first.text))
})

t.test('[PUB15] A key survives kill -9 and a restart', async (t) => {
  const first = await send('restart', { message: 'before' })
  await bellwire.kill9()
  await bellwire.start()
  const again = await send('restart', { message: 'before' })
  t.equal(again.status, 200)
  t.equal(again.text, first.text)
  t.equal((await send('restart', { message: 'after' })).status, 422)
})
