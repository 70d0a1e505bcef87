/** What the stream tells those who ask for more than messages, on a running Bellwire. */
import t from 'tap'
import { ApiClient, idOf } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import { openStream, type StreamClient } from '../support/ws-client.ts'

t.setTimeout(120_000)

function eventsOf(stream: StreamClient): unknown[] {
  return stream.texts.map((text) => JSON.parse(text) as unknown)
}

t.test('GET /stream?events=1', async (t) => {
  const server = await startBellwire(t)
  const api = new ApiClient(server)

  await t.test('[WS9] tells of changes in order, to those who asked alone', async (t) => {
    const { basic, applicationId: appid, applicationToken, clientToken } = await api.identity()
    const asked = await openStream(server.port, { token: clientToken, events: '1' })
    const silent = await openStream(server.port, { token: clientToken })
    const zero = await openStream(server.port, { token: clientToken, events: '0' })
    const stranger = await api.identity()
    const other = await openStream(server.port, { token: stranger.clientToken, events: 'true' })

    const id = idOf((await api.publish(applicationToken, 'to be deleted')).text)
    await asked.untilId(id)
    await api.call(`DELETE /message/${id}`, { basic })
    await api.call(`DELETE /application/${appid}/message`, { basic })
    await api.call('DELETE /message', { basic })
    await api.call(`PUT /application/${appid}`, { basic, json: { name: 'renamed' } })
    const last = idOf((await api.publish(applicationToken, 'the last')).text)
    await api.call(`DELETE /application/${appid}`, { basic })
    const made = await api.call('POST /application', { basic, json: { name: 'new' } })
    await asked.until(() => asked.texts.length >= 8)

    t.match(eventsOf(asked), [
      { id, message: 'to be deleted' },
      { event: 'message-deleted', id },
      { event: 'messages-deleted', appid },
      { event: 'messages-deleted', appid: null },
      { event: 'application-changed', appid },
      { id: last, message: 'the last' },
      { event: 'application-deleted', appid },
      { event: 'application-changed', appid: idOf(made.text) },
    ])
    t.equal(asked.unterminated, 0, 'each ends as a message does')
    for (const stream of [silent, zero]) {
      await stream.untilId(last)
      t.strictSame(stream.ids, [id, last], 'exactly the frames of Gotify')
    }
    await api.call(`DELETE /application/${stranger.applicationId}`, { basic: stranger.basic })
    await other.until(() => other.texts.length > 0)
    t.strictSame(eventsOf(other), [{ event: 'application-deleted', appid: stranger.applicationId }])
  })

  await t.test('[WS9] a connection that catches up gets messages first', async (t) => {
    const { basic, applicationToken, clientToken } = await api.identity()
    const first = idOf((await api.publish(applicationToken, 'before')).text)
    const stream = await openStream(server.port, { token: clientToken, after: 0, events: '1' })
    await stream.untilId(first)
    await api.call(`DELETE /message/${first}`, { basic })
    await stream.until(() => stream.texts.length >= 2)
    t.strictSame(eventsOf(stream)[1], { event: 'message-deleted', id: first })
    stream.destroy()
    t.equal((await api.call('DELETE /message', { basic })).status, 200, 'nobody listens any more')
  })
})
