/** The database goes away under traffic and comes back: refusals meanwhile, no loss, nothing to do by hand. */
import t from 'tap'
import { ApiClient, type Identity } from '../support/api-client.ts'
import { type Bellwire, isRunning, startBellwire } from '../support/bellwire.ts'
import { openStream } from '../support/ws-client.ts'
import { checkDelivered, checkRefusals, checkStored, openStreams, Traffic } from './traffic.ts'

const bellwire: Bellwire = await startBellwire(t, { GOTIFY_SERVER_STREAM_SHARDTHREADS: '2' })
const api = new ApiClient(bellwire)
t.teardown(() => api.close())

/** Kills PostgreSQL and every process of it, as an out-of-memory killer does. */
async function killPostgres(): Promise<void> {
  const pid = (await bellwire.postgresPid()) ?? 0
  process.kill(pid, 'SIGKILL')
  while (isRunning(pid)) await pause()
}

async function untilGreen(): Promise<void> {
  while ((await api.call('GET /health')).status !== 200) await pause()
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20))
}

t.test(
  '[LIFE10] [API29] PostgreSQL dies under traffic: 503 meanwhile, sockets stay, nothing is lost',
  async (t) => {
    const users = await Promise.all(Array.from({ length: 4 }, () => api.identity()))
    const streams = await Promise.all(
      users.map(({ clientToken }) =>
        openStreams(3, bellwire.port, { token: clientToken, after: 0 }),
      ),
    )
    const traffics = users.map((user) => new Traffic(api, user, 8))
    const everyone = (count: number): Promise<unknown> =>
      Promise.all(traffics.map((traffic) => traffic.more(count)))
    await everyone(30)
    for (let round = 0; round < 3; round++) {
      const first = await bellwire.postgresPid()
      await killPostgres()
      await everyone(30)
      await untilGreen()
      const green = await Promise.all(
        users.map(({ applicationToken }) => api.publish(applicationToken, 'green')),
      )
      t.same(
        green.map(({ status }) => status),
        [200, 200, 200, 200],
        'green: publishes work',
      )
      t.not(await bellwire.postgresPid(), first, 'PostgreSQL is a new one')
    }
    await Promise.all(traffics.map((traffic) => traffic.stop()))
    const refused = traffics.flatMap((traffic) => traffic.refused)
    t.comment(`${refused.length} refused`)
    t.ok(refused.length > 0)
    checkRefusals(t, refused)
    for (const [index, user] of users.entries()) {
      const { acknowledged = [], disorders } = traffics[index] ?? {}
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
  '[API29] [AUTH14] While it is away health is red and look-ups are 503, never 401 or 404',
  async (t) => {
    const user: Identity = await api.identity()
    const stream = await openStream(bellwire.port, { token: user.clientToken })
    const pid = (await bellwire.postgresPid()) ?? 0
    const looks: { target: string; status: number; retry: boolean }[] = []
    let red = 0
    process.kill(pid, 'SIGKILL')
    // A backend outlives its killed server for a moment, and what it answers is true.
    while (await isGreen());
    do {
      const [health, ...answers] = await Promise.all([
        api.call('GET /health'),
        api.publish(user.applicationToken, 'known token'),
        api.publish(`Aunknown${red}.......`, 'unknown token'),
        api.call('GET /message', { token: user.clientToken }),
        api.call('GET /application', { basic: user.basic }),
        api.call(`DELETE /message/${red + 1_000_000}`, { basic: user.basic }),
      ])
      if (health.status !== 500) continue
      t.match(health.text, '"database":"red"')
      red++
      for (const { status, headers } of answers) {
        looks.push({ target: String(status), status, retry: Number(headers['retry-after']) > 0 })
      }
    } while (red === 0 || !(await isGreen()))
    // While it comes back some of a round find it there already; those may say what is true.
    const first = looks.slice(0, 5)
    t.same(
      first.filter(({ status, retry }) => status !== 503 || !retry),
      [],
    )
    let back = await api.publish(user.applicationToken, 'back')
    while (back.status === 503) back = await api.publish(user.applicationToken, 'back')
    t.equal(back.status, 200)
    await stream.until(() => stream.texts.includes(back.text))
  },
)

async function isGreen(): Promise<boolean> {
  return (await api.call('GET /health')).status === 200
}
