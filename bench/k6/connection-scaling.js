/**
 * How connecting scales: SCALE=1k, 10k or 100k streams opened as fast as the server takes them, held for HOLD while a
 * few messages are published. One k6 process and one server process hold fewer than 20,000 under the usual file limit;
 * 100k needs a higher limit (ulimit -n) on both sides, or several of each behind a balancer.
 *
 *   k6 run -e BASE_URL=http://127.0.0.1:8080 -e SCALE=10k bench/k6/connection-scaling.js
 */
import exec from 'k6/execution'
import { deliverySuccess, holdStream, makeUsers, publish } from './lib/gotify.js'

const SCALE = __ENV.SCALE || '1k'
const SOCKETS = Number(/^(\d+)k$/.exec(SCALE)[1]) * 1000
const HOLD_MS = Number(/^(\d+)s$/.exec(__ENV.HOLD || '30s')[1]) * 1000
const SOCKETS_A_VU = Number(__ENV.SOCKETS_A_VU || 100)
const USERS = Number(__ENV.USERS || 200)
const RATE = Number(__ENV.RATE || 10)
/** A virtual user opens one stream each so many milliseconds. */
const OPEN_EVERY_MS = 20
const OPEN_MS = SOCKETS_A_VU * OPEN_EVERY_MS

export const options = {
  setupTimeout: '5m',
  summaryTrendStats: ['avg', 'min', 'med', 'p(95)', 'p(99)', 'max'],
  scenarios: {
    streams: {
      executor: 'per-vu-iterations',
      exec: 'holdStreams',
      vus: Math.ceil(SOCKETS / SOCKETS_A_VU),
      iterations: 1,
      maxDuration: '1h',
    },
    publishers: {
      executor: 'constant-arrival-rate',
      exec: 'publishOne',
      startTime: `${Math.ceil(OPEN_MS / 1000)}s`,
      rate: RATE,
      duration: `${Math.max(1, Math.floor(HOLD_MS / 1000) - 2)}s`,
      preAllocatedVUs: 5,
      maxVUs: 50,
    },
  },
  thresholds: {
    connect_success: ['rate>0.99'],
    connect_ms: ['p(95)<1000'],
    delivery_success: ['rate>0.99'],
    delivery_ms: ['p(95)<500'],
  },
}

export function setup() {
  return { users: makeUsers(USERS), startMs: Date.now() }
}

export function holdStreams({ users, startMs }) {
  const first = exec.scenario.iterationInTest * SOCKETS_A_VU
  const endMs = startMs + OPEN_MS + HOLD_MS
  for (let i = 0; i < SOCKETS_A_VU; i += 1) {
    const position = first + i
    const { client } = users[position % users.length]
    // One stream of each user looks back at the end.
    setTimeout(() => holdStream(client, endMs, position < users.length), i * OPEN_EVERY_MS)
  }
}

export function publishOne({ users }) {
  deliverySuccess.add(publish(users[Math.floor(Math.random() * users.length)].application))
}
