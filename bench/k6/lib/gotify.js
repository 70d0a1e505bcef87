/**
 * What the k6 scripts share: making users over REST, opening a stream, publishing with a stamp, and the metrics that
 * all of them report. Runs in k6, not in Node. BASE_URL, ADMIN_NAME and ADMIN_PASS come from the environment.
 */
import encoding from 'k6/encoding'
import http from 'k6/http'
import { Counter, Rate, Trend } from 'k6/metrics'
import { WebSocket } from 'k6/websockets'

export const BASE_URL = (__ENV.BASE_URL || 'http://127.0.0.1:8080').replace(/\/$/, '')
const STREAM_URL = `${BASE_URL.replace(/^http/, 'ws')}/stream`
/** A message published so close to the opening or the end of a stream need not have come over it. */
const MARGIN_MS = 2000
const ADMIN = `${__ENV.ADMIN_NAME || 'admin'}:${__ENV.ADMIN_PASS || 'admin'}`

/** Connect call to the open stream. */
export const connectMs = new Trend('connect_ms', true)
/** Publish call to the message's arrival at a subscriber. */
export const deliveryMs = new Trend('delivery_ms', true)
/** Publish call to its answer. */
export const publishMs = new Trend('publish_ms', true)
export const connectSuccess = new Rate('connect_success')
/** Share of the expected deliveries that arrived, in order. */
export const deliverySuccess = new Rate('delivery_success')
export const messagesReceived = new Counter('messages_received')
export const messagesPublished = new Counter('messages_published')

/** Makes `count` users and returns their tokens; call it from setup(). Throws when the server refuses. */
export function makeUsers(count) {
  const prefix = `k6-${Date.now().toString(36)}-`
  return Array.from({ length: count }, (_, index) => {
    const name = `${prefix}${index}`
    post('/user', basic(ADMIN), { name, pass: 'k6', admin: false })
    const client = post('/client', basic(`${name}:k6`), { name: 'k6' }).token
    const application = post('/application', { 'X-Gotify-Key': client }, { name: 'k6' }).token
    return { client, application }
  })
}

/** Opens a stream; `handlers.message(id, stampMs)` for every message, `handlers.open()` once. */
export function openStream(client, handlers) {
  const startedMs = Date.now()
  let opened = false
  const socket = new WebSocket(`${STREAM_URL}?token=${client}`)
  socket.addEventListener('open', () => {
    opened = true
    connectMs.add(Date.now() - startedMs)
    connectSuccess.add(true)
    if (handlers.open) handlers.open()
  })
  socket.addEventListener('message', ({ data }) => {
    const arrivedMs = Date.now()
    const message = JSON.parse(data)
    const stampMs = stampOf(message.message)
    messagesReceived.add(1)
    deliveryMs.add(arrivedMs - stampMs)
    if (handlers.message) handlers.message(message.id, stampMs)
  })
  socket.addEventListener('error', () => {
    if (!opened) connectSuccess.add(false)
  })
  return socket
}

/**
 * Holds a stream until `endMs`. Each message that comes counts for delivery_success, false when it is out of order; with
 * `looksBack` so does, as false, each one that the history has and the stream has not brought.
 */
export function holdStream(client, endMs, looksBack) {
  const received = new Set()
  let lastId = 0
  const socket = openStream(client, {
    open: () => {
      const openedMs = Date.now()
      setTimeout(() => finish(openedMs), Math.max(0, endMs - openedMs))
    },
    message: (id) => {
      deliverySuccess.add(id > lastId)
      lastId = id
      if (looksBack) received.add(id)
    },
  })

  async function finish(openedMs) {
    if (looksBack) await countMissing(client, openedMs, received)
    socket.close()
  }
}

async function countMissing(client, openedMs, received) {
  const lastMs = Date.now() - MARGIN_MS
  const answer = await http.asyncRequest('GET', `${BASE_URL}/message?limit=200`, null, {
    headers: { 'X-Gotify-Key': client },
  })
  for (const { id, message } of answer.json().messages) {
    const stampMs = stampOf(message)
    const isDue = stampMs > openedMs + MARGIN_MS && stampMs < lastMs
    if (isDue && !received.has(id)) deliverySuccess.add(false)
  }
}

function stampOf(message) {
  return Number(/ts=(\d+)/.exec(message)?.[1])
}

/** Publishes one message of about 200 bytes that carries the moment of the call; true when it was acknowledged. */
export function publish(application) {
  const startedMs = Date.now()
  const answer = http.post(`${BASE_URL}/message`, messageBody(startedMs), parameters(application))
  publishMs.add(Date.now() - startedMs)
  return counted(answer)
}

/** As `publish`, without blocking the event loop that the streams of this VU run on. */
export async function publishAsync(application) {
  const startedMs = Date.now()
  const answer = await http.asyncRequest(
    'POST',
    `${BASE_URL}/message`,
    messageBody(startedMs),
    parameters(application),
  )
  publishMs.add(Date.now() - startedMs)
  return counted(answer)
}

function messageBody(stampMs) {
  return JSON.stringify({ title: 'k6', priority: 5, message: `ts=${stampMs} ${'x'.repeat(180)}` })
}

function parameters(application) {
  return { headers: { 'Content-Type': 'application/json', 'X-Gotify-Key': application } }
}

function counted(answer) {
  if (answer.status === 200) messagesPublished.add(1)
  return answer.status === 200
}

function basic(credentials) {
  return { Authorization: `Basic ${encoding.b64encode(credentials)}` }
}

function post(path, headers, body) {
  const answer = http.post(`${BASE_URL}${path}`, JSON.stringify(body), {
    headers: { 'Content-Type': 'application/json', ...headers },
  })
  if (answer.status !== 200) throw new Error(`POST ${path}: ${answer.status} ${answer.body}`)
  return answer.json()
}
