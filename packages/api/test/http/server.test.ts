import type { UserId } from '@bellwire/common'
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { BodyBudget } from '../../src/http/body.ts'
import { ConnectionLimit } from '../../src/http/connection-limit.ts'
import type { Route } from '../../src/http/types.ts'
import { RawConnection } from './raw-connection.ts'
import { type RunningServer, startTestServer } from './test-server.ts'

const HOST = 'Host: h\r\n'
const ANSWER_WITHIN_MS = 30_000

t.test('HTTP server answers', async (t) => {
  const running = await startTestServer(t, { responseHeaders: { 'X-A': 'b' } })
  const { base } = running

  t.test('[API1] unknown paths and methods with 404 in the API’s shape', async (t) => {
    for (const [method, path] of [
      ['GET', '/unknown'],
      ['PUT', '/version'],
      ['PATCH', '/'],
    ] as const) {
      const answer = await fetch(base + path, { method })
      t.equal(answer.status, 404)
      t.equal(answer.headers.get('content-type'), 'application/json')
      t.equal(answer.headers.get('x-a'), 'b')
      t.strictSame(await answer.json(), errorBody(404, 'Not Found', 'page not found'))
    }
  })

  t.test('[API3] redirects, and a folded path directly', async (t) => {
    const redirect = await fetch(`${base}/version/?a=1`, { redirect: 'manual' })
    t.equal(redirect.status, 301)
    t.equal(redirect.headers.get('location'), '/version?a=1')
    t.equal((await fetch(`${base}//version`)).status, 200)
    t.equal((await fetch(`${base}/image`, { redirect: 'manual' })).status, 301)
  })

  t.test('with the parts of the path, decoded', async (t) => {
    const answer = await fetch(`${base}/thing/1/%C3%BC%20x`)
    t.strictSame(await answer.json(), { id: '1', name: 'ü x' })
  })

  t.test('from a copy of the request', async (t) => {
    const connection = await RawConnection.open(running.port)
    connection.write(
      `GET /request?a=%20b HTTP/1.1\r\n${HOST}X-One: 1\r\nX-One: 2\r\nCookie: a=b\r\nCookie: c=d\r\n\r\n`,
    )
    t.match(JSON.parse((await connection.answer())?.body ?? ''), {
      method: 'GET',
      path: '/request',
      query: 'a=%20b',
      remoteAddress: '127.0.0.1',
      secure: false,
      headers: [
        ['host', 'h'],
        ['x-one', '1, 2'],
        ['cookie', 'a=b; c=d'],
      ],
    })
    connection.destroy()
  })

  t.test('bodies, by length and in chunks, whole', async (t) => {
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251))
    const sum = createHash('sha256').update(body).digest('hex')
    const whole = await fetch(`${base}/echo`, { method: 'POST', body })
    t.equal(sha256(await whole.arrayBuffer()), sum)
    const parts = ReadableStream.from([
      body.subarray(0, 7),
      body.subarray(7, 200_000),
      body.subarray(200_000),
    ])
    const chunked = await fetch(`${base}/echo`, { method: 'POST', body: parts, duplex: 'half' })
    t.equal(sha256(await chunked.arrayBuffer()), sum)
    t.equal(await (await fetch(`${base}/echo`, { method: 'POST' })).text(), '')
  })

  t.test('large answers whole', async (t) => {
    const answer = await fetch(`${base}/big`)
    t.equal((await answer.arrayBuffer()).byteLength, 20_000_000)
  })

  t.test('204 without a body or a length', async (t) => {
    const connection = await RawConnection.open(running.port)
    for (let i = 0; i < 2; i++) {
      connection.write(`DELETE /nothing HTTP/1.1\r\n${HOST}X-Gotify-Key: client\r\n\r\n`)
      const answer = await connection.answer()
      t.equal(answer?.status, 204)
      t.equal(answer?.headers.get('content-length'), undefined)
    }
    connection.destroy()
  })

  t.test('credentials as the mode of the endpoint asks', async (t) => {
    async function status(token?: string): Promise<number> {
      const headers = token === undefined ? {} : { 'x-gotify-key': token }
      return (await fetch(`${base}/nothing`, { method: 'DELETE', headers })).status
    }
    t.equal(await status(), 401)
    t.equal(await status('application'), 401)
    t.equal(await status('client'), 204)
    t.equal(await status('slow'), 204)
    t.equal(
      (await fetch(`${base}/nothing`, { method: 'DELETE' })).headers.get('www-authenticate'),
      null,
    )
  })

  t.test('with the refreshed cookie of the gatekeeper', async (t) => {
    const headers = { 'x-gotify-key': 'cookie' }
    const answer = await fetch(`${base}/nothing`, { method: 'DELETE', headers })
    t.equal(answer.headers.get('set-cookie'), 'a=b')
  })

  t.test('[API2] 503 with Retry-After while the database is away', async (t) => {
    const headers = { 'x-gotify-key': 'away' }
    const answer = await fetch(`${base}/nothing`, { method: 'DELETE', headers })
    t.equal(answer.status, 503)
    t.match(answer.headers.get('retry-after'), /^\d+$/)
    t.strictSame(await answer.json(), errorBody(503, 'Service Unavailable', 'away'))
  })

  t.test('pages outside the API to every origin, without response headers', async (t) => {
    const answer = await fetch(`${base}/health`, { headers: { origin: 'http://other.test' } })
    t.equal(answer.status, 200)
    t.equal(answer.headers.get('x-a'), null)
    const head = await fetch(`${base}/health`, { method: 'HEAD' })
    t.equal(head.headers.get('content-length'), String('healthy'.length))
  })

  t.test('[API6] foreign origins with 403 and nothing more, before credentials', async (t) => {
    const headers = { origin: 'http://other.test', 'x-gotify-key': 'away' }
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
      const answer = await fetch(`${base}/nothing`, { method, headers })
      t.equal(answer.status, 403, method)
      t.equal(answer.headers.get('x-a'), 'b')
      t.equal(await answer.text(), '')
    }
  })

  t.test('OPTIONS on any path', async (t) => {
    for (const path of ['/version', '/unknown/path', '/']) {
      const answer = await fetch(base + path, { method: 'OPTIONS' })
      t.equal(answer.status, 200)
      t.equal(await answer.text(), '')
    }
  })

  t.test('[API10] 500 without a word about the inside, and a line in the log', async (t) => {
    const answer = await fetch(`${base}/broken`)
    t.equal(answer.status, 500)
    t.strictSame(await answer.json(), errorBody(500, 'Internal Server Error', 'internal error'))
    t.match(running.errors, [/a secret of the inside/])
    t.match(running.errors.at(-1), /"pattern":"\/broken"/)
  })
})

t.test('[LIM11] HTTP server reads no more of a body than a stranger may send', async (t) => {
  const { base, port } = await startTestServer(t)

  t.test('a body within the bound of its endpoint arrives after slow credentials', async (t) => {
    const body = Buffer.alloc(3_000_000)
    const headers = { 'x-gotify-key': 'slow' }
    const answer = await fetch(`${base}/upload`, { method: 'POST', body, headers })
    t.equal(await answer.text(), '3000000')
  })

  t.test('wrong credentials are answered before the body is in', async (t) => {
    const connection = await RawConnection.open(port)
    connection.write(`POST /upload HTTP/1.1\r\n${HOST}Content-Length: 3000000\r\n\r\nabc`)
    t.equal((await connection.answer())?.status, 401)
    connection.destroy()
  })

  t.test('a refused body that comes anyway leaves the connection usable', async (t) => {
    const connection = await RawConnection.open(port)
    connection.write(`POST /upload HTTP/1.1\r\n${HOST}Content-Length: 3000000\r\n\r\n`)
    connection.write(Buffer.alloc(3_000_000))
    t.equal((await connection.answer())?.status, 401)
    connection.write(`GET /version HTTP/1.1\r\n${HOST}\r\n`)
    t.equal((await connection.answer())?.body, 'version')
    connection.destroy()
  })
})

t.test('HTTP server answers in time', async (t) => {
  const running = await startTestServer(t)

  t.test('[API4] 503 when a handler does not', async (t) => {
    const answer = fetch(`${running.base}/hangs`)
    await untilOpen(running, 1)
    running.advance(ANSWER_WITHIN_MS + 1)
    const { status, headers } = await answer
    t.equal(status, 503)
    t.equal(headers.get('retry-after'), '1')
    t.equal(running.server.openRequests, 0)
  })

  t.test('[API4] 408 when the body does not arrive, and ends the connection', async (t) => {
    const connection = await RawConnection.open(running.port)
    connection.write(`POST /echo HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nabc`)
    await untilOpen(running, 1)
    running.advance(ANSWER_WITHIN_MS + 1)
    t.equal((await connection.answer())?.status, 408)
    await connection.closed()
  })
})

t.test('[LIM12] HTTP server bounds its connections', async (t) => {
  const running = await startTestServer(t, { limit: new ConnectionLimit(4) })
  const connections: RawConnection[] = []
  t.teardown(() => connections.forEach((connection) => connection.destroy()))
  for (let i = 0; i < 4; i++) connections.push(await RawConnection.open(running.port))
  const one = connections[0]
  one?.write(`GET /version HTTP/1.1\r\n${HOST}\r\n`)
  t.equal((await one?.answer())?.status, 200)

  const fifth = await RawConnection.open(running.port)
  fifth.write(`GET /version HTTP/1.1\r\n${HOST}\r\n`)
  const refused = await fifth.answer()
  t.equal(refused?.status, 503)
  t.equal(refused?.headers.get('retry-after'), '1')
  t.equal(await fifth.closed(), '')

  const overdraft = await RawConnection.open(running.port)
  const above = await RawConnection.open(running.port)
  t.equal(await above.closed(), '', 'closed without a word')
  overdraft.destroy()
  while (running.server.connections > 4) await sleep(5)
  one?.write(`GET /version HTTP/1.1\r\n${HOST}\r\n`)
  t.equal((await one?.answer())?.status, 200)
})

t.test('[LIFE20] HTTP server drains', async (t) => {
  const running = await startTestServer(t)
  const connection = await RawConnection.open(running.port)
  connection.write(`POST /echo HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\n`)
  await untilOpen(running, 1)
  await running.server.stopAccepting()
  await t.rejects(RawConnection.open(running.port))
  connection.write('abc')
  t.equal((await connection.answer())?.body, 'abc', 'what was accepted is answered')

  connection.write(`GET /version HTTP/1.1\r\n${HOST}\r\n`)
  const last = await connection.answer()
  t.equal(last?.status, 200)
  t.equal(last?.headers.get('connection'), 'close', 'later requests end their connection')
  t.equal(await connection.closed(), '')
})

t.test('[LIFE2] HTTP server answers the last requests before it closes', async (t) => {
  const answers: (() => void)[] = []
  const slow: Route = {
    method: 'GET',
    pattern: '/slow',
    auth: 'none',
    handle: () => new Promise((resolve) => answers.push(() => resolve({ status: 200 }))),
  }
  const running = await startTestServer(t, { routes: [slow] })
  const connections = [
    await RawConnection.open(running.port),
    await RawConnection.open(running.port),
  ]
  for (const connection of connections) connection.write(`GET /slow HTTP/1.1\r\n${HOST}\r\n`)
  await untilOpen(running, 2)
  const closed = running.server.close()
  await sleep(50)
  answers[0]?.()
  const statuses = await Promise.all(connections.map(async (each) => (await each.answer())?.status))
  t.strictSame(statuses.sort(), [200, 503], 'the one that hangs is told so')
  await closed
})

function errorBody(errorCode: number, error: string, errorDescription: string): unknown {
  return { error, errorCode, errorDescription }
}

function sha256(bytes: ArrayBuffer): string {
  return createHash('sha256').update(Buffer.from(bytes)).digest('hex')
}

async function untilOpen(running: RunningServer, count: number): Promise<void> {
  while (running.server.openRequests < count) await sleep(5)
}

t.test('[LIM17] BodyBudget bounds all bodies and those of one user', (t) => {
  const budget = new BodyBudget(100, 40)
  const [one, other] = [1 as UserId, 2 as UserId]
  t.ok(budget.tryTake(30, one))
  t.notOk(budget.tryTake(11, one), 'more than the share')
  t.ok(budget.tryTake(40, other), 'which is no matter of anybody else')
  t.ok(budget.tryTake(30), 'nor of those whom nobody knows yet')
  t.notOk(budget.tryTake(1, one), 'nothing is left of the whole')
  budget.giveBack(40, other)
  t.ok(budget.tryTake(10, one))
  t.notOk(budget.tryTake(1, one))
  budget.giveBack(40, one)
  t.ok(budget.tryTake(40, one), 'what was given back can be taken anew')
  t.end()
})
