/**
 * A server that speaks just enough of Gotify's wire to be loaded, on uWebSockets.js, with no store, no threads and
 * no promises: the ceiling of a machine. Measured in the same run as the real server, because a ratio to it means the
 * same on every machine. Tokens carry the user's name (`A.<name>`, `C.<name>`), so it has nothing to remember.
 */
import uWS, { type HttpRequest, type HttpResponse, type WebSocket } from 'uWebSockets.js'

interface Reader {
  readonly user: string
}

const readers = new Map<string, Set<WebSocket<Reader>>>()
let lastId = 0
const port = Number(process.argv[2])

const app = uWS.App()
app
  .ws<Reader>('/stream', {
    idleTimeout: 120,
    maxBackpressure: 0,
    upgrade(response, request, context) {
      const token = new URLSearchParams(request.getQuery()).get('token') ?? ''
      response.upgrade<Reader>(
        { user: token.slice(2) },
        request.getHeader('sec-websocket-key'),
        '',
        '',
        context,
      )
    },
    open(socket) {
      const { user } = socket.getUserData()
      const sockets = readers.get(user) ?? new Set()
      readers.set(user, sockets.add(socket))
    },
    close(socket) {
      readers.get(socket.getUserData().user)?.delete(socket)
    },
  })
  .get('/health', (response) => {
    response.end('{"health":"green","database":"green"}')
  })
  .post('/message', (response, request) => {
    const user = request.getHeader('x-gotify-key').slice(2)
    withBody(response, (body) => publish(response, user, body))
  })
  .post('/user', (response) => withBody(response, () => response.end('{}')))
  .post('/client', (response, request) => {
    const user = basicUser(request)
    withBody(response, () => response.end(`{"token":"C.${user}"}`))
  })
  .post('/application', (response, request) => {
    const user = request.getHeader('x-gotify-key').slice(2)
    withBody(response, () => response.end(`{"token":"A.${user}"}`))
  })
  .listen('127.0.0.1', port, (socket) => {
    if (socket) process.once('SIGTERM', () => app.close())
    else throw new Error(`Cannot listen on port ${port}`)
  })

function publish(response: HttpResponse, user: string, body: Buffer): void {
  const message = JSON.parse(body.toString()) as Record<string, unknown>
  const text = JSON.stringify({ id: (lastId += 1), appid: 1, ...message, date: new Date() })
  response.cork(() => {
    response.writeHeader('Content-Type', 'application/json').end(text)
  })
  for (const socket of readers.get(user) ?? []) socket.send(text)
}

function basicUser(request: HttpRequest): string {
  const credentials = Buffer.from(request.getHeader('authorization').slice(6), 'base64')
  return credentials.toString().split(':', 1)[0] ?? ''
}

/** uWebSockets.js ends the process when a handler returns without an answer and without `onAborted`. */
function withBody(response: HttpResponse, handle: (body: Buffer) => void): void {
  let aborted = false
  let body = Buffer.alloc(0)
  response.onAborted(() => {
    aborted = true
  })
  response.onData((chunk, isLast) => {
    body =
      body.length === 0 && isLast ? Buffer.from(chunk) : Buffer.concat([body, Buffer.from(chunk)])
    if (isLast && !aborted) handle(body)
  })
}
