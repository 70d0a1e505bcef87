/** HTTPS from certificate files: the program with its two ports, and files that change under it. */
import { rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { startTestServer } from '../http/test-server.ts'
import { ApiClient } from '../support/api-client.ts'
import { type Bellwire, runToEnd, startBellwire } from '../support/bellwire.ts'
import { createTestCertificate, type TestCertificate } from '../support/test-certificate.ts'
import { adminPost, certificateFiles, tlsSettings } from './certificate-files.ts'
import { callTls, eventually, openTlsStream } from './tls-client.ts'

/** Each start takes seconds on a busy machine. */
t.setTimeout(300_000)

t.test('[TLS1] HTTPS beside plain HTTP that redirects', async (t) => {
  const files = await certificateFiles(t)
  const first = await createTestCertificate()
  await files.write(first)
  const bellwire = await startBellwire(t, tlsSettings(files))
  const port = tlsPort(bellwire)
  const base = `http://127.0.0.1:${bellwire.port}`

  t.test('serves the API over TLS', async (t) => {
    const { status, text, serialNumber } = await callTls(port, '/health')
    t.equal(status, 200)
    t.match(text, '"health":"green"')
    t.equal(serialNumber, first.serialNumber)
  })

  t.test('sends readers of plain HTTP there, with their path and query', async (t) => {
    for (const path of ['/', '/message?limit=1&since=2', '/stream?token=x']) {
      const answer = await fetch(base + path, { redirect: 'manual' })
      t.equal(answer.status, 302, path)
      t.equal(answer.headers.get('location'), `https://127.0.0.1:${port}${path}`)
    }
    const raw = await rawGet(bellwire.port, 'push.example', '//a/%2e%2e/b?')
    t.match(raw, `location: https://push.example:${port}//a/%2e%2e/b?\r\n`, 'as it came')
    const head = await fetch(`${base}/version`, { method: 'HEAD', redirect: 'manual' })
    t.equal(head.status, 302)
  })

  t.test('refuses what would send a body in the clear', async (t) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await fetch(`${base}/message`, { method, redirect: 'manual' })
      t.equal(answer.status, 400, method)
      t.equal(await answer.text(), 'Use HTTPS')
      t.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8')
    }
  })

  t.test('redirects to no place that a Host header makes up', async (t) => {
    for (const host of ['evil.example/', 'user@evil.example', 'a b', '"', 'x:1:2']) {
      const text = await rawGet(bellwire.port, host)
      t.match(text, /^HTTP\/1\.1 400 /, host)
    }
    const named = await rawGet(bellwire.port, 'push.example:8080')
    t.match(named, `location: https://push.example:${port}/\r\n`)
    t.match(await rawGet(bellwire.port, '[::1]:80'), `location: https://[::1]:${port}/\r\n`)
  })

  t.test('[TLS2] serves a changed certificate, and open streams go on', async (t) => {
    const made = await callTls(port, '/application', adminPost({ name: 'a' }))
    const application = (JSON.parse(made.text) as { token: string }).token
    const client = await callTls(port, '/client', adminPost({ name: 'c' }))
    const stream = await openTlsStream(port, (JSON.parse(client.text) as { token: string }).token)
    t.teardown(() => stream.destroy())
    const publish = (message: string): ReturnType<typeof callTls> =>
      callTls(port, `/message?token=${application}`, adminPost({ message }))
    await publish('under the first')
    await eventually(() => stream.text().includes('under the first'))

    const second = await createTestCertificate()
    await files.write(second)
    await eventually(
      async () => (await callTls(port, '/health')).serialNumber === second.serialNumber,
    )
    const published = await publish('under the second')
    t.equal(published.status, 200)
    t.equal(published.serialNumber, second.serialNumber)
    await eventually(() => stream.text().includes('under the second'))
    t.notOk(stream.ended())

    // Half a change: the new certificate with the old key is never served.
    const third = await createTestCertificate()
    await writeFile(files.certFile, third.certificate)
    await eventually(() => bellwire.logs.some((line) => line.includes('cannot be served')))
    t.equal((await callTls(port, '/health')).serialNumber, second.serialNumber)
    await files.write(third)
    await eventually(
      async () => (await callTls(port, '/health')).serialNumber === third.serialNumber,
    )
    await publish('under the third')
    await eventually(() => stream.text().includes('under the third'))
  })

  t.test('stops in time with connections of several certificates', async (t) => {
    t.equal(await bellwire.stop(), 0)
  })
})

t.test('[TLS1] plain HTTP serves, too, without the redirect', async (t) => {
  const files = await certificateFiles(t)
  await files.write(await createTestCertificate())
  const env = { ...tlsSettings(files), GOTIFY_SERVER_SSL_REDIRECTTOHTTPS: 'false' }
  const bellwire = await startBellwire(t, env)
  const api = new ApiClient(bellwire)
  t.teardown(() => api.close())
  const identity = await api.identity()
  t.equal((await api.publish(identity.applicationToken, 'in the clear')).status, 200)
  const { text } = await callTls(tlsPort(bellwire), `/message?token=${identity.clientToken}`)
  t.match(text, 'in the clear')
})

t.test('[TLS3] a certificate that cannot be served ends the start', async (t) => {
  const files = await certificateFiles(t)
  const good = await createTestCertificate()
  const other = await createTestCertificate()
  const wrong: readonly (readonly [TestCertificate, RegExp])[] = [
    [{ ...good, certificate: 'nothing' }, /cert\.pem: it holds nothing in PEM form/],
    [{ ...good, key: '' }, /key\.pem: it holds nothing in PEM form/],
    [{ ...good, key: other.key }, /key\.pem: the key is not that of the certificate/],
  ]
  for (const [certificate, reason] of wrong) {
    await files.write(certificate)
    const { ending, stderr } = await runToEnd(t, tlsSettings(files))
    t.equal(ending, 1)
    t.match(stderr, /^Bellwire cannot start: Cannot serve HTTPS \(.*\): .*\n$/, 'one line')
    t.match(stderr, reason)
  }
  await rm(files.keyFile)
  const { stderr } = await runToEnd(t, tlsSettings(files))
  t.match(stderr, /key\.pem: there is no such file\n$/)
})

t.test('[TLS2] HttpServer.renewCertificate() leaves no moment without a listener', async (t) => {
  const files = await certificateFiles(t)
  const { certFile, keyFile } = files
  const socketFile = join(certFile, '..', 'socket')
  for (const address of ['127.0.0.1', `unix:${socketFile}`]) {
    await files.write(await createTestCertificate())
    const { server, port } = await startTestServer(t, { address, tls: { certFile, keyFile } })
    const errors: string[] = []
    let knocking = true
    let knocks = 0
    const knock = async (): Promise<void> => {
      while (knocking) {
        const error = await connectOnce(address === '127.0.0.1' ? { port } : { path: socketFile })
        if (error !== null) errors.push(error)
        knocks++
      }
    }
    const knockers = Promise.all([knock(), knock(), knock()])
    for (let i = 0; i < 20; i++) {
      await server.renewCertificate()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    knocking = false
    await knockers
    t.ok(knocks > 20, `${knocks} connections`)
    if (address === '127.0.0.1') t.notOk(errors.includes('ECONNREFUSED'), errors.join())
    await writeFile(certFile, 'nothing')
    await t.rejects(server.renewCertificate())
    t.equal(await connectOnce(address === '127.0.0.1' ? { port } : { path: socketFile }), null)
    await server.close()
    await t.rejects(server.renewCertificate(), TypeError)
  }
})

t.test('[TLS2] HttpServer.renewCertificate() loses nobody who waits', async (t) => {
  const files = await certificateFiles(t)
  const { certFile, keyFile } = files
  await files.write(await createTestCertificate())
  const { server, port } = await startTestServer(t, { tls: { certFile, keyFile } })
  for (let round = 0; round < 5; round++) {
    const calls = Array.from({ length: 20 }, () => callTls(port, '/version'))
    // Known to the kernel now, and not yet to the server.
    await new Promise<void>((resolve) => process.nextTick(resolve))
    await server.renewCertificate()
    for (const { status } of await Promise.all(calls)) t.equal(status, 200)
  }
})

function tlsPort({ logs }: Bellwire): number {
  const line = logs.find((each) => each.includes('"msg":"HTTPS is served"')) ?? ''
  return Number(/"address":"[^"]*:(\d+)"/.exec(line)?.[1])
}

function rawGet(port: number, host: string, target = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    })
    socket.setEncoding('utf8').on('data', (part: string) => (text += part))
    socket.on('error', reject).on('close', () => resolve(text))
  })
}

/** The code of the error, or null for a connection that was taken. */
function connectOnce(place: { port: number } | { path: string }): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', ...place }, () => {
      socket.destroy()
      resolve(null)
    })
    socket.once('error', (error) => resolve('code' in error ? String(error.code) : error.message))
  })
}
