import t, { type Test } from 'tap'
import { RawConnection } from './raw-connection.ts'
import { type RunningServer, startTestServer } from './test-server.ts'

const HOST = 'Host: h\r\n'

/** The server still works, and nothing unexpected was thrown. */
async function stillAlive(test: Test, running: RunningServer): Promise<void> {
  const answer = await fetch(`${running.base}/version`)
  test.equal(await answer.text(), 'version')
  test.strictSame(running.errors, [])
}

t.test('HTTP server survives what nobody should send', async (t) => {
  const running = await startTestServer(t)
  function attack(name: string, run: (test: Test) => Promise<void>): void {
    void t.test(name, async (test) => {
      await run(test)
      await stillAlive(test, running)
    })
  }

  attack('requests in one segment are answered in order', async (t) => {
    const connection = await RawConnection.open(running.port)
    connection.write(`GET /version HTTP/1.1\r\n${HOST}\r\nGET /unknown HTTP/1.1\r\n${HOST}\r\n`)
    const first = await connection.answer()
    t.ok(first === null || first.status === 200)
    connection.destroy()
  })

  attack('[API5] two different lengths are refused, whichever comes first', async (t) => {
    for (const [one, other] of [
      [3, 50],
      [50, 3],
    ]) {
      const connection = await RawConnection.open(running.port)
      connection.write(
        `POST /echo HTTP/1.1\r\n${HOST}Content-Length: ${one}\r\nContent-Length: ${other}\r\n\r\nabc`,
      )
      t.equal((await connection.answer())?.status, 400)
      await connection.closed()
    }
  })

  attack('[API5] what hides behind a refused length is not executed', async (t) => {
    const hidden = `POST /echo HTTP/1.1\r\n${HOST}Content-Length: 6\r\n\r\nhidden`
    const lengths = `Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n`
    for (const target of [
      'POST /echo',
      'GET /version',
      'POST /unknown',
      'POST /echo/',
      'GET /%zz',
    ]) {
      const connection = await RawConnection.open(running.port)
      connection.write(`${target} HTTP/1.1\r\n${HOST}${lengths}\r\n${hidden}`)
      t.equal((await connection.answer())?.status ?? 400, 400, target)
      t.equal(await connection.answer(), null, 'no second answer')
      await connection.closed()
    }
  })

  attack('[API5] a length beside a transfer coding is refused', async (t) => {
    const connection = await RawConnection.open(running.port)
    connection.write(
      `POST /echo HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    )
    t.equal((await connection.answer())?.status, 400)
    await connection.closed()
  })

  attack('[API5] an unknown transfer coding is refused', async (t) => {
    const connection = await RawConnection.open(running.port)
    connection.write(`POST /echo HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n`)
    t.equal((await connection.answer())?.status, 400)
    await connection.closed()
  })

  attack('[API5] lengths that are no numbers are refused', async (t) => {
    for (const length of ['abc', '-1', '3, 3', '0x3', '99999999999999999999']) {
      const connection = await RawConnection.open(running.port)
      connection.write(`POST /echo HTTP/1.1\r\n${HOST}Content-Length: ${length}\r\n\r\nabc`)
      const answer = await connection.answer()
      t.equal(answer?.status ?? 400, 400, length)
      connection.destroy()
    }
  })

  attack('[LIM13] a thousand headers are refused', async (t) => {
    const connection = await RawConnection.open(running.port)
    const lines = Array.from({ length: 1000 }, (_, index) => `x-${index}: ${index}\r\n`)
    connection.write(`GET /version HTTP/1.1\r\n${HOST}${lines.join('')}\r\n`)
    t.equal((await connection.answer())?.status, 431)
    await connection.closed()
  })

  attack('[LIM13] a head of 60 KiB is read', async (t) => {
    const connection = await RawConnection.open(running.port)
    connection.write(`GET /version HTTP/1.1\r\n${HOST}x: ${'y'.repeat(60 * 1024)}\r\n\r\n`)
    t.equal((await connection.answer())?.status, 200)
    connection.destroy()
  })

  attack(
    '[LIM10] a body above the bound is answered 413, and the connection goes on',
    async (t) => {
      const connection = await RawConnection.open(running.port)
      connection.write(`POST /echo HTTP/1.1\r\n${HOST}Content-Length: 5000000\r\n\r\n`)
      connection.write(Buffer.alloc(5_000_000))
      const answer = await connection.answer()
      t.equal(answer?.status, 413)
      t.match(answer?.body, /"errorCode":413/)
      connection.write(`GET /version HTTP/1.1\r\n${HOST}\r\n`)
      t.equal((await connection.answer())?.body, 'version')
      connection.destroy()
    },
  )

  attack('[LIM10] a body in chunks above the bound is answered 413', async (t) => {
    const connection = await RawConnection.open(running.port)
    connection.write(`POST /echo HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`)
    for (let i = 0; i < 20; i++) connection.write(`10000\r\n${'x'.repeat(0x10000)}\r\n`)
    t.equal((await connection.answer())?.status, 413)
    connection.destroy()
  })

  attack('[API12] broken chunks are refused', async (t) => {
    const connection = await RawConnection.open(running.port)
    connection.write(`POST /echo HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc`)
    t.equal((await connection.answer())?.status, 400)
    connection.destroy()
  })

  attack('[API12] a sender that resets inside its body is forgotten', async (t) => {
    for (const path of ['/echo', '/upload']) {
      const connection = await RawConnection.open(running.port)
      connection.write(
        `POST ${path} HTTP/1.1\r\n${HOST}X-Gotify-Key: slow\r\nContent-Length: 1000000\r\n\r\nabc`,
      )
      await new Promise((resolve) => setTimeout(resolve, 50))
      connection.reset()
    }
    while (running.server.openRequests > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    t.equal(running.server.openRequests, 0)
  })

  attack('[API12] a request cut off anywhere harms nobody', async (t) => {
    const whole = `POST /echo HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\n0123456789`
    for (let length = 1; length < whole.length; length += 3) {
      const connection = await RawConnection.open(running.port)
      connection.write(whole.slice(0, length))
      connection.end()
      connection.destroy()
    }
    t.pass()
  })

  attack('[API9] HEAD on every kind of path leaves a connection that works', async (t) => {
    const expected = [
      ['/health', 200],
      ['/version', 404],
      ['/unknown', 404],
      ['/version/', 404],
      ['/thing/1/2', 404],
      ['/%zz', 400],
    ] as const
    const connection = await RawConnection.open(running.port)
    for (const [path, status] of expected) {
      connection.write(`HEAD ${path} HTTP/1.1\r\n${HOST}\r\n`)
      const answer = await connection.answer({ head: true })
      t.equal(answer?.status, status, path)
      t.not(answer?.headers.get('content-length'), undefined, path)
    }
    connection.write(`GET /version HTTP/1.1\r\n${HOST}\r\n`)
    t.equal((await connection.answer())?.body, 'version')
    connection.destroy()
  })

  attack('[API3] no path redirects to another host', async (t) => {
    const paths = [
      '//host/%2e%2e/version/',
      '//host/../version/',
      '/%2fhost/..//version/',
      '/\\host/../version/',
      '/.//host/%2e%2e/version/',
      '/version/?//host',
    ]
    for (const path of paths) {
      const connection = await RawConnection.open(running.port)
      connection.write(`GET ${path} HTTP/1.1\r\n${HOST}\r\n`)
      const answer = await connection.answer()
      const location = answer?.headers.get('location')
      if (location !== undefined) t.match(location, /^\/version(\?|$)/, path)
      connection.destroy()
    }
  })

  attack('[API3] odd paths are answered, not followed', async (t) => {
    const paths = [
      '/a%00b',
      '/%ff',
      '/%',
      '/%zz',
      '/thing/%2f%2f/x',
      '/../../etc/passwd',
      '/#/version',
    ]
    for (const path of paths) {
      const connection = await RawConnection.open(running.port)
      connection.write(`GET ${path} HTTP/1.1\r\n${HOST}\r\n`)
      const status = (await connection.answer())?.status
      t.ok(status === 404 || status === 400, `${path}: ${status}`)
      connection.destroy()
    }
    const connection = await RawConnection.open(running.port)
    connection.write(`GET /version\0 HTTP/1.1\r\n${HOST}\r\n`)
    t.not((await connection.answer())?.status, 200)
    connection.destroy()
  })

  attack('[API12] random bytes end the connection or are answered with an error', async (t) => {
    for (let round = 0; round < 100; round++) {
      const connection = await RawConnection.open(running.port)
      const noise = Buffer.from(Array.from({ length: 200 }, (_, i) => (round * 31 + i * 17) % 256))
      connection.write(Buffer.concat([noise, Buffer.from('\r\n\r\n')]))
      connection.end()
      connection.destroy()
    }
    t.pass()
  })
})
