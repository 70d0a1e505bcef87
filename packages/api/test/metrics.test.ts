/** What a running Bellwire tells of the publishes it took. */
import t from 'tap'
import { ApiClient } from './support/api-client.ts'
import { startBellwire } from './support/bellwire.ts'

t.test('Metrics count each publish, its commit and its delivery once', async (t) => {
  const bellwire = await startBellwire(t)
  const api = new ApiClient(bellwire)
  const user = await api.identity()
  const messages = Array.from({ length: 20 }, (_, index) => `message ${index}`)
  await Promise.all(messages.map((text) => api.publish(user.applicationToken, text)))
  await api.publish('Awrong', 'for nobody')

  let text = ''
  const value = (name: string): number => {
    const line = text.split('\n').find((each) => each.startsWith(`${name} `))
    return Number(line?.slice(name.length))
  }
  // Workers report once a second.
  while (!(value('bellwire_publish_to_commit_seconds_count') >= messages.length)) {
    ;({ text } = await api.call('GET /metrics'))
  }
  t.equal(value('bellwire_publish_to_commit_seconds_count'), messages.length)
  t.equal(value('bellwire_publish_to_delivered_seconds_count'), messages.length)
  t.equal(value('bellwire_batch_rows_sum'), messages.length)
  t.equal(value('bellwire_publishes_total{status="200"}'), messages.length)
  t.equal(value('bellwire_publishes_total{status="401"}'), 1)
  const commit = value('bellwire_publish_to_commit_seconds_sum')
  t.ok(commit > 0)
  t.ok(commit < value('bellwire_publish_to_delivered_seconds_sum'), 'the commit comes first')
})
