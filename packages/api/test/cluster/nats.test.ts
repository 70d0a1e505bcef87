/** Hints by way of a real NATS server: quick while it runs, and nothing is lost while it doesn't. */
import t from 'tap'
import { idOf } from '../support/api-client.ts'
import { startNatsServer } from '../support/nats-server.ts'
import { startTestPostgres } from '../support/postgres.ts'
import { openStream } from '../support/ws-client.ts'
import { startHost } from './two-processes.ts'

/** More polls than this test has time for. */
const MESSAGES = 20

const nats = await startNatsServer(t)

t.test(
  '[CLU6] Hints travel by NATS, and what is published without it is found all the same',
  { skip: typeof nats === 'string' && nats, timeout: 120_000 },
  async (t) => {
    if (typeof nats === 'string') return
    const connection = await startTestPostgres(t)
    const env = { GOTIFY_SERVER_CLUSTER_HINTS: `nats://127.0.0.1:${nats.port}` }
    const a = await startHost(t, connection, env)
    const b = await startHost(t, connection, env)
    const user = await a.api.identity()
    const stream = await openStream(b.port, { token: user.clientToken })
    const published: number[] = []
    const publish = async (): Promise<void> => {
      published.push(idOf((await a.api.publish(user.applicationToken, 'x')).text))
    }

    const start = performance.now()
    for (let number = 0; number < MESSAGES; number++) {
      await publish()
      await stream.untilId(published.at(-1) ?? 0)
    }
    const perMessage = (performance.now() - start) / MESSAGES
    t.ok(perMessage < 1_000, `polls would take seconds for each, not ${perMessage} ms`)

    await nats.kill()
    await publish()
    await stream.untilId(published.at(-1) ?? 0)
    await nats.start()
    await publish()
    await stream.untilId(published.at(-1) ?? 0)
    t.strictSame(stream.ids, published)
    stream.destroy()
  },
)
