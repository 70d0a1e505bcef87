/**
 * Promise 6 at the limit of open files: a long test (BELLWIRE_LONG_TESTS), since it opens 20,400
 * sockets. A process has one limit for its own files, so the clients live in processes of their own.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ApiClient } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import type { Crowd, CrowdOrder } from './crowd.ts'

const long = process.env['BELLWIRE_LONG_TESTS'] !== undefined
const CROWD = fileURLToPath(new URL('./crowd.js', import.meta.url))

async function order(crowd: ChildProcess, what: CrowdOrder): Promise<Crowd> {
  crowd.send(what)
  const [answer] = (await once(crowd, 'message')) as [Crowd]
  return answer
}

t.test(
  '[LIM12] 500 sockets more than the files allow are shed, and publishing goes on',
  { skip: !long, timeout: 300_000 },
  async (t) => {
    const bellwire = await startBellwire(t)
    const api = new ApiClient(bellwire)
    const user = await api.identity()
    const crowds = [1, 2].map(() => fork(CROWD))
    t.teardown(() => {
      api.close()
      for (const crowd of crowds) crowd.kill('SIGKILL')
    })
    const { port } = bellwire
    const token = user.clientToken
    const open = (count: number): Promise<Crowd[]> =>
      Promise.all(
        crowds.map((crowd, index) =>
          order(crowd, { port, token, count, localAddress: `127.0.0.${index + 2}` }),
        ),
      )
    const first = await open(9_700)
    t.same(
      first.map(({ refused }) => refused),
      [0, 0],
    )
    const more = await open(500)
    const refused = more.reduce((sum, crowd) => sum + crowd.refused, 0)
    t.comment(`${refused} of 1,000 more were refused: ${JSON.stringify(more)}`)
    t.ok(refused >= 500)
    await sleep(1_000)
    const answer = await api.publish(user.applicationToken, 'to everybody')
    t.equal(answer.status, 200)
    const [one, two] = await Promise.all(
      crowds.map((crowd) => order(crowd, { waitFor: answer.text })),
    )
    t.equal((one?.delivered ?? 0) + (two?.delivered ?? 0), (one?.open ?? 0) + (two?.open ?? 0))
  },
)
