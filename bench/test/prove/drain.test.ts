/** The end of a proof, on a server that takes every publish and treats offers of streams as it is told. */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { SeededRandom } from '@bellwire/common/seeded-random'
import t, { type Test } from 'tap'
import { check } from '../../src/prove/check/check.ts'
import { emptyHistory, type History } from '../../src/prove/check/history.ts'
import { drain } from '../../src/prove/drain.ts'
import { Load } from '../../src/prove/load/load.ts'

/** Of one user. */
const SUBSCRIBERS = [0, 1, 2]
const LIMIT_MS = 300

const ACCEPTED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
const REFUSED = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'

/** Drains a load of one user. @param answer what an offer of a stream gets; null: nothing, ever */
async function drained(
  t: Test,
  answer: string | null,
): Promise<{ history: History; steps: string[]; delivered: boolean }> {
  let id = 0
  const server = http.createServer((request, response) => {
    request.resume()
    // The last publishes take most of the time there is for a step.
    setTimeout(() => response.end(JSON.stringify({ id: ++id })), LIMIT_MS / 2)
  })
  server.on('upgrade', (_, socket) => {
    socket.on('error', () => socket.destroy())
    if (answer !== null) socket.write(answer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const history = emptyHistory()
  const tokens = { applications: ['A'], clients: ['C'] }
  const ports = [(server.address() as AddressInfo).port]
  const load = new Load({ tokens, ports, random: new SeededRandom(1), history })
  const steps: string[] = []
  const tell = (step: string): void => void steps.push(step)
  const delivered = await drain({ load, history, limitMs: LIMIT_MS, tell })
  return { history, steps, delivered }
}

t.test('drain says who is absent when every stream is refused', async (t) => {
  const { history, steps, delivered } = await drained(t, REFUSED)
  t.same(history.absent, SUBSCRIBERS)
  t.equal(delivered, false)
  t.same(steps, [
    'every publish answered',
    'NOT every subscriber connected:',
    'every last publish answered',
    'NOT everything delivered:',
  ])
  const kinds = check(history).map(({ kind }) => kind)
  t.equal(kinds.filter((kind) => kind === 'subscriber could not come back').length, 3)
})

t.test('drain leaves a record of an offer that never got an answer', async (t) => {
  const { history } = await drained(t, null)
  // Their sockets close behind the drain, as the rows are read.
  for (let look = 0; look < 100 && history.refusals.length < SUBSCRIBERS.length; look++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.same(history.refusals.map(({ subscriber }) => subscriber).sort(), SUBSCRIBERS)
  t.ok(history.refusals.every(({ askedAt, endedAt }) => endedAt - askedAt >= LIMIT_MS))
})

t.test('drain tells of connected subscribers, and of what they did not get', async (t) => {
  const { history, steps, delivered } = await drained(t, ACCEPTED)
  t.same(history.absent, [])
  t.ok(steps.includes('every subscriber connected'))
  t.equal(delivered, false)
  t.ok(history.streams.every(({ held, askedAt, openedAt }) => held && askedAt <= openedAt))
})
