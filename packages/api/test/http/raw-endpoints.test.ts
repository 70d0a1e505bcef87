import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { ConnectionLimit } from '../../src/http/connection-limit.ts'
import type { PublishEndpoint } from '../../src/http/server.ts'
import type { StreamEndpoint } from '../../src/http/stream-route.ts'
import { RawConnection } from './raw-connection.ts'
import { startTestServer, type TestServerOptions } from './test-server.ts'

const HOST = 'Host: h\r\n'

/** Answers what it was asked; `?fail` throws. */
const publish: PublishEndpoint = {
  handle: (res, req) => {
    if ((req.getQuery() as string | undefined) === 'fail') throw new Error('publish failed')
    res.onAborted(() => undefined)
    res.end(`published ${req.getUrl()}`)
  },
}

function streamEndpoint(seen: string[]): StreamEndpoint<object> {
  return {
    behavior: {
      upgrade: (res, req, context) => {
        if ((req.getQuery() as string | undefined) === 'fail') throw new Error('upgrade failed')
        res.upgrade({}, req.getHeader('sec-websocket-key'), '', '', context)
        if ((req.getQuery() as string | undefined) === 'late') throw new Error('too late')
      },
      open: (ws) => {
        seen.push('open')
        ws.send('hello')
      },
      message: () => {
        throw new Error('message failed')
      },
      close: () => {
        seen.push('close')
        throw new Error('close failed')
      },
    },
    refusePlain: (res) => {
      res.writeStatus('400 Bad Request').end('no upgrade')
    },
  }
}

t.test('HTTP server hands POST /message over raw', async (t) => {
  const { base, errors } = await startTestServer(t, { publish })
  t.equal(await (await fetch(`${base}/message`, { method: 'POST' })).text(), 'published /message')
  const folded = await fetch(`${base}//message`, { method: 'POST' })
  t.equal(await folded.text(), 'published //message')
  t.equal((await fetch(`${base}/message`)).status, 404, 'other methods go the usual way')
  const redirect = await fetch(`${base}/message/`, { method: 'POST', redirect: 'manual' })
  t.equal(redirect.status, 307)
  t.equal(redirect.headers.get('location'), '/message')

  await t.rejects(fetch(`${base}/message?fail`, { method: 'POST' }), 'a throw ends the connection')
  t.match(errors, [/publish failed/])
  t.equal((await fetch(`${base}/version`)).status, 200, 'and nothing else')
})

t.test('HTTP server hands /stream over raw', async (t) => {
  const running = await startTestServer(t, { stream: streamEndpoint([]) } as TestServerOptions)

  t.test('upgrades it, with folded slashes too, and nothing else', async (t) => {
    for (const [path, status] of [
      ['/stream', 101],
      ['//stream', 101],
      ['/other', 404],
    ] as const) {
      const connection = await upgrade(running.port, path)
      t.equal((await connection.answer({ head: status === 101 }))?.status, status, path)
      connection.destroy()
    }
  })

  t.test('refuses a GET without an upgrade, and other methods', async (t) => {
    t.equal((await fetch(`${running.base}/stream`)).status, 400)
    t.equal((await fetch(`${running.base}/stream`, { method: 'POST' })).status, 404)
    t.equal((await fetch(`${running.base}/stream`, { method: 'HEAD' })).status, 404)
  })

  t.test('survives callbacks that throw', async (t) => {
    const failing = await upgrade(running.port, '/stream?fail')
    t.equal(await failing.closed(), '')
    const late = await upgrade(running.port, '/stream?late')
    t.equal((await late.answer({ head: true }))?.status, 101)
    late.write(frame('x'))
    late.destroy()
    t.equal((await fetch(`${running.base}/version`)).status, 200)
    t.match(running.errors.join(''), /upgrade failed[^]*too late/)
  })

  t.test('counts sockets until they close', async (t) => {
    const seen: string[] = []
    const { server, port } = await startTestServer(t, {
      stream: streamEndpoint(seen),
    } as TestServerOptions)
    const sockets = await Promise.all([1, 2, 3].map(() => upgrade(port, '/stream')))
    for (const socket of sockets) t.equal((await socket.answer({ head: true }))?.status, 101)
    t.equal(server.connections, 3)
    for (const socket of sockets) socket.destroy()
    while (server.connections > 0) await sleep(5)
    t.equal(seen.filter((event) => event === 'close').length, 3)
  })
})

t.test('[LIM12] HTTP server refuses upgrades at its bound of connections', async (t) => {
  const options = { stream: streamEndpoint([]), limit: new ConnectionLimit(2) } as TestServerOptions
  const { port } = await startTestServer(t, options)
  const sockets = [await upgrade(port, '/stream'), await upgrade(port, '/stream')]
  for (const socket of sockets) t.equal((await socket.answer({ head: true }))?.status, 101)
  const third = await upgrade(port, '/stream')
  const refused = await third.answer()
  t.equal(refused?.status, 503)
  t.equal(refused?.headers.get('retry-after'), '1')
  await third.closed()
  for (const socket of sockets) socket.destroy()
})

async function upgrade(port: number, path: string): Promise<RawConnection> {
  const connection = await RawConnection.open(port)
  const key = randomBytes(16).toString('base64')
  connection.write(
    `GET ${path} HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  )
  return connection
}

/** A masked text frame; the key is all zeros. */
function frame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])
}
