/** Promises 1 and 2: what is acknowledged is stored, and every stream gets it in order, once, as the same text. */
import t from 'tap'
import { ApiClient, idOf } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import { openStream } from '../support/ws-client.ts'
import { checkDelivered, checkStored, onlyGrow, openStreams } from './traffic.ts'

const bellwire = await startBellwire(t, { GOTIFY_SERVER_STREAM_SHARDTHREADS: '2' })
const api = new ApiClient(bellwire)
t.teardown(() => api.close())

t.test(
  '[DLV1] Every stream gets strictly increasing ids, all of them, when 50 publish at once',
  async (t) => {
    const user = await api.identity()
    const streams = await openStreams(8, bellwire.port, { token: user.clientToken })
    const publisher = async (number: number): Promise<string[]> => {
      const texts: string[] = []
      for (let index = 0; index < 20; index++) {
        const answer = await api.publish(user.applicationToken, `${number} says ${index} <ä&"\\>`)
        if (answer.status === 200) texts.push(answer.text)
      }
      return texts
    }
    const answers = await Promise.all(Array.from({ length: 50 }, (_, number) => publisher(number)))
    t.ok(
      answers.every((texts) => onlyGrow(texts.map(idOf))),
      '[PUB2] a publish after an acknowledged one has a greater id',
    )
    const history = await api.history(user)
    t.equal(history.length, 1_000)
    checkStored(t, history, answers.flat())
    await checkDelivered(t, streams, history)
  },
)

t.test('[DLV2] Answer, frame and history are one text, whatever the message holds', async (t) => {
  const user = await api.identity()
  const stream = await openStream(bellwire.port, { token: user.clientToken })
  const bodies = [
    '{"message":"plain"}',
    '{"message":"a\\u2028b\\u0001<script>&","title":"\\ud83d\\ude00","priority":-9007199254740991}',
    '{"message":"n","extras":{"n::1":{"big":9007199254740993,"small":1e-400,"nested":[1.0,[],{}]}}}',
    '{"message":"NUL","extras":{"n::1":{"\\u0000key":"a\\u0000b"}}}',
    `{"message":${JSON.stringify('long '.repeat(100_000))}}`,
  ]
  const answers: string[] = []
  for (const body of bodies) {
    const headers = { 'content-type': 'application/json' }
    const answer = await api.call('POST /message', { token: user.applicationToken, body, headers })
    t.equal(answer.status, 200)
    answers.push(answer.text)
  }
  const history = await api.history(user)
  t.same(history, answers)
  await checkDelivered(t, [stream], history)
})

t.test('[DLV3] A stream gets the messages of its own user and of nobody else', async (t) => {
  const [anna, bert] = await Promise.all([api.identity(), api.identity()])
  const [toAnna, toBert] = await Promise.all([
    openStream(bellwire.port, { token: anna.clientToken }),
    openStream(bellwire.port, { basic: bert.basic }),
  ])
  await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      api.publish((index % 2 === 0 ? anna : bert).applicationToken, `${index}`),
    ),
  )
  await checkDelivered(t, [toAnna], await api.history(anna))
  await checkDelivered(t, [toBert], await api.history(bert))
  t.equal(toAnna.texts.length, 50)
  t.equal(toBert.texts.length, 50)
})

t.test('[DLV4] Every kind of publish reaches the stream as it was acknowledged', async (t) => {
  const user = await api.identity()
  const stream = await openStream(bellwire.port, { token: user.clientToken })
  const token = user.applicationToken
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const multipart = { 'content-type': 'multipart/form-data; boundary=b' }
  const parts = '--b\r\ncontent-disposition: form-data; name="message"\r\n\r\nparts\r\n--b--\r\n'
  const { basic, applicationId: appid } = user
  const answers = await Promise.all([
    api.call('POST /message', { token, json: { message: 'json' } }),
    api.call('POST /message', { token, headers: form, body: 'message=form&priority=7' }),
    api.call('POST /message', { token, headers: multipart, body: parts }),
    api.call(`POST /message?token=${token}&message=query`),
    api.call('POST /message', { basic, json: { message: 'password', appid } }),
  ])
  t.same(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 200],
  )
  const history = await api.history(user)
  checkStored(
    t,
    history,
    answers.map(({ text }) => text),
  )
  await checkDelivered(t, [stream], history)
})
