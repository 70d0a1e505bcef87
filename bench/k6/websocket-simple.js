/**
 * The main job, seen from outside: every virtual user holds one stream, publishes over REST every half second and
 * checks that each of its messages arrives, once and in order. 100 virtual users for 2 minutes; VUS and DURATION
 * change that.
 *
 *   k6 run -e BASE_URL=http://127.0.0.1:8080 bench/k6/websocket-simple.js
 */
import { check } from 'k6'
import exec from 'k6/execution'
import { deliverySuccess, makeUsers, openStream, publishAsync } from './lib/gotify.js'

const VUS = Number(__ENV.VUS || 100)
const DURATION = __ENV.DURATION || '2m'
const PAUSE_MS = 500
/** After the last publish, how long its delivery may take. */
const PATIENCE_MS = 2000

export const options = {
  setupTimeout: '2m',
  summaryTrendStats: ['avg', 'min', 'med', 'p(95)', 'p(99)', 'max'],
  scenarios: {
    streams: {
      executor: 'per-vu-iterations',
      vus: VUS,
      iterations: 1,
      maxDuration: '1h',
    },
  },
  thresholds: {
    connect_success: ['rate>0.99'],
    delivery_success: ['rate>0.99'],
    delivery_ms: ['p(95)<100'],
    checks: ['rate>0.99'],
  },
}

export function setup() {
  return { users: makeUsers(VUS), endMs: Date.now() + milliseconds(DURATION) }
}

export default function ({ users, endMs }) {
  const user = users[(exec.vu.idInTest - 1) % users.length]
  let accepted = 0
  let received = 0
  let lastId = 0
  let inOrder = true
  const socket = openStream(user.client, {
    open: () => setTimeout(next, Math.random() * PAUSE_MS),
    message: (id) => {
      received += 1
      inOrder = inOrder && id > lastId
      lastId = id
    },
  })

  async function next() {
    if (Date.now() >= endMs) {
      setTimeout(finish, PATIENCE_MS)
      return
    }
    const ok = await publishAsync(user.application)
    check(ok, { 'publish is acknowledged': (value) => value })
    if (ok) accepted += 1
    setTimeout(next, PAUSE_MS)
  }

  function finish() {
    for (let i = 0; i < accepted; i += 1) deliverySuccess.add(i < received)
    check(inOrder, { 'ids only grow': (value) => value })
    check(received, { 'nothing arrives twice': (count) => count <= accepted })
    socket.close()
  }
}

function milliseconds(text) {
  const [, number, unit] = /^(\d+)(s|m)$/.exec(text)
  return Number(number) * (unit === 'm' ? 60_000 : 1000)
}
