/**
 * A ramp of connections, 1K -> 5K -> 10K, with messages at every level: connection time, latency from publish to
 * delivery, messages a second, success rates. A virtual user holds 50 streams, because k6 spends megabytes on each.
 * STAGES (`sockets:duration,...`), RATE (publishes a second) and USERS change the shape.
 *
 *   k6 run -e BASE_URL=http://127.0.0.1:8080 bench/k6/websocket-test.js
 */
import exec from 'k6/execution'
import { deliverySuccess, holdStream, makeUsers, publish } from './lib/gotify.js'

const STAGES = (__ENV.STAGES || '1000:1m,5000:2m,10000:2m,10000:1m').split(',').map((stage) => {
  const [sockets, duration] = stage.split(':')
  return { sockets: Number(sockets), duration, seconds: seconds(duration) }
})
const SOCKETS_A_VU = Number(__ENV.SOCKETS_A_VU || 50)
const RATE = Number(__ENV.RATE || 50)
const USERS = Number(__ENV.USERS || 200)
const TOTAL_SECONDS = STAGES.reduce((sum, stage) => sum + stage.seconds, 0)
const MOST_VUS = Math.ceil(Math.max(...STAGES.map((stage) => stage.sockets)) / SOCKETS_A_VU)

export const options = {
  setupTimeout: '5m',
  summaryTrendStats: ['avg', 'min', 'med', 'p(95)', 'p(99)', 'max'],
  scenarios: {
    streams: {
      executor: 'per-vu-iterations',
      exec: 'holdStreams',
      vus: MOST_VUS,
      iterations: 1,
      maxDuration: '1h',
    },
    publishers: {
      executor: 'constant-arrival-rate',
      exec: 'publishOne',
      rate: RATE,
      duration: `${TOTAL_SECONDS}s`,
      preAllocatedVUs: 20,
      maxVUs: 100,
    },
  },
  thresholds: {
    delivery_ms: ['p(95)<100'],
    connect_success: ['rate>0.99'],
    delivery_success: ['rate>0.99'],
  },
}

export function setup() {
  return { users: makeUsers(USERS), startMs: Date.now() }
}

/** Holds its share of the streams from the moment the ramp reaches it until the end. */
export function holdStreams({ users, startMs }) {
  const index = exec.scenario.iterationInTest
  const endMs = startMs + TOTAL_SECONDS * 1000
  for (let i = 0; i < SOCKETS_A_VU; i += 1) {
    const position = index * SOCKETS_A_VU + i
    const openAtMs = startMs + dueSecond(position) * 1000
    if (openAtMs < endMs)
      setTimeout(
        // One stream of each user looks back at the end.
        () => holdStream(users[position % users.length].client, endMs, position < users.length),
        Math.max(0, openAtMs - Date.now()),
      )
  }
}

export function publishOne({ users }) {
  const acknowledged = publish(users[Math.floor(Math.random() * users.length)].application)
  deliverySuccess.add(acknowledged)
}

/** The second at which the ramp reaches socket number `position`; every stage rises evenly to its level. */
function dueSecond(position) {
  let from = 0
  let second = 0
  for (const stage of STAGES) {
    if (position < stage.sockets && stage.sockets > from) {
      return second + (stage.seconds * (position - from)) / (stage.sockets - from)
    }
    from = Math.max(from, stage.sockets)
    second += stage.seconds
  }
  return TOTAL_SECONDS
}

function seconds(text) {
  const [, number, unit] = /^(\d+)(s|m)$/.exec(text)
  return Number(number) * (unit === 'm' ? 60 : 1)
}
