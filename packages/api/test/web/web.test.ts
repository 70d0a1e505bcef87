/** The web pages and the description of the API, as a running Bellwire serves them. */
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { request } from 'node:http'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { ApiClient, type Answer } from '../support/api-client.ts'
import { readWebFolder } from '../../src/web/web-folder.ts'
import { runToEnd, startBellwire } from '../support/bellwire.ts'

t.setTimeout(120_000)

const INDEX = '<html><script>window.config = %CONFIG%;</script>%CONFIG%</html>'
const SCRIPT = 'console.log("a script that is worth its compression")\n'.repeat(50)

async function appFolder(t: Test, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bellwire-ui-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
  return folder
}

/** The bytes of a body; ApiClient gives text. */
function bytes(port: number, path: string, headers: Record<string, string> = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => resolve(Buffer.concat(chunks)))
    })
    sent.on('error', reject).end()
  })
}

/** Sends the path as it stands, which no HTTP client does with dots in it. */
function rawGet(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect({ port, host: '127.0.0.1' }, () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
    )
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text
      if (answer.includes('\r\n\r\n')) socket.destroy()
    })
    socket.on('close', () => resolve(answer)).on('error', reject)
  })
}

function configIn({ text }: Answer): unknown {
  return JSON.parse(/window\.config = (.*?);/.exec(text)?.[1] ?? 'null')
}

t.test('Bellwire without a web app', async (t) => {
  const server = await startBellwire(t, { GOTIFY_REGISTRATION: 'true' })
  const api = new ApiClient(server)

  await t.test('[WEB1] the start page says what this is and holds window.config', async (t) => {
    const page = await api.call('GET /')
    t.equal(page.status, 200)
    t.match(page.text, /Bellwire/)
    t.match(page.text, /href="docs"/)
    t.notMatch(page.text, /(src|href)="(https?:)?\/\//, 'everything comes from here')
    t.match(configIn(page), { register: true, oidc: false, version: { version: '3.0.0' } })
    t.equal((await api.call('GET /index.html')).text, page.text)
  })

  await t.test('[WEB1] what the pages refer to is there', async (t) => {
    const manifest = JSON.parse((await api.call('GET /manifest.json')).text) as {
      icons: { src: string }[]
    }
    const page = await api.call('GET /')
    const referred = [...page.text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(
      ([, target = '']) => target,
    )
    for (const target of [...referred, ...manifest.icons.map(({ src }) => src), 'favicon.ico']) {
      t.equal((await api.call(`GET /${target}`)).status, 200, target)
    }
    const picture = await bytes(server.port, '/static/defaultapp.png')
    t.equal(picture.subarray(1, 4).toString(), 'PNG')
  })

  await t.test('[WEB2] a page is sent once: compressed, then not at all', async (t) => {
    const plain = await bytes(server.port, '/')
    for (const [header, decode] of [
      ['gzip, deflate', gunzipSync],
      ['gzip, deflate, br', brotliDecompressSync],
      ['br;q=0, GZIP', gunzipSync],
    ] as const) {
      const coded = await bytes(server.port, '/', { 'accept-encoding': header })
      t.ok(coded.length < plain.length / 2, header)
      t.ok(decode(coded).equals(plain), header)
    }
    const { headers } = await api.call('GET /')
    const etag = String(headers.etag)
    t.equal(headers.vary, 'Accept-Encoding')
    for (const tag of [etag, `"other", ${etag}`, etag.slice(2), '*']) {
      const again = await api.call('GET /', { headers: { 'if-none-match': tag } })
      t.equal(again.status, 304, tag)
      t.equal(again.text, '')
      t.equal(again.headers.etag, etag)
    }
    const other = await api.call('GET /', { headers: { 'if-none-match': '"other"' } })
    t.equal(other.status, 200)
  })

  await t.test('[WEB3] GET /swagger names the host that the caller uses', async (t) => {
    const hostIn = async (path: string, headers = {}): Promise<unknown> =>
      (JSON.parse((await api.call(`GET ${path}`, { headers })).text) as { host: string }).host
    t.equal(await hostIn('/swagger'), `127.0.0.1:${server.port}`)
    t.equal(await hostIn('/swagger', { 'x-forwarded-host': 'push.example' }), 'push.example')
    t.equal(await hostIn('/swagger?base=a.example/b'), 'a.example/b')
    t.equal(await hostIn('/swagger?base=%22%7D$%26'), '"}$&')
  })

  await t.test('[WEB3] GET /docs lists every endpoint on one page without scripts', async (t) => {
    const { text, headers } = await api.call('GET /docs')
    const { paths } = JSON.parse((await api.call('GET /swagger')).text) as { paths: object }
    for (const path of Object.keys(paths)) t.ok(text.includes(`<code>${path}</code>`), path)
    t.notMatch(text, /<script|undefined|\[object/)
    t.match(headers['content-security-policy'], /default-src 'none'/)
    const ids = new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
    for (const [, target = ''] of text.matchAll(/href="#([^"]+)"/g)) t.ok(ids.has(target), target)
  })

  await t.test('[AUTH9] ?legacyToken chooses the form of a token for one request', async (t) => {
    const { text } = await api.call('POST /client?legacyToken=true', {
      basic: 'admin:admin',
      json: { name: 'old' },
    })
    t.match((JSON.parse(text) as { token: string }).token, /^C[\w.-]{14}$/)
  })
})

t.test('Bellwire with a web app', async (t) => {
  const folder = await appFolder(t, {
    'index.html': INDEX,
    'sw.js': SCRIPT,
    'secret/key.txt': 'secret',
    'static/app.js': SCRIPT,
    'static/deep/a b.txt': 'deep',
    'static/.hidden': 'hidden',
  })
  await symlink('/etc/passwd', join(folder, 'static/link.txt'))
  const env = { GOTIFY_SERVER_UIDIR: folder, GOTIFY_SERVER_LEGACYTOKENS: 'true' }
  const server = await startBellwire(t, env)
  const api = new ApiClient(server)

  await t.test('[WEB1] the app is served at /, its config filled in once', async (t) => {
    const page = await api.call('GET /')
    t.match(configIn(page), { register: false, oidc: false })
    t.match(page.text, /%CONFIG%<\/html>$/)
    t.equal((await api.call('GET /static/app.js')).text, SCRIPT)
    t.equal((await api.call('GET /sw.js')).text, SCRIPT)
    t.equal((await api.call('GET /static/deep/a%20b.txt')).text, 'deep')
    const coded = await bytes(server.port, '/static/app.js', { 'accept-encoding': 'br' })
    t.equal(brotliDecompressSync(coded).toString(), SCRIPT)
  })

  await t.test('[WEB1] pictures that the app does not bring are those of Bellwire', async (t) => {
    t.equal((await api.call('GET /static/defaultapp.png')).headers['content-type'], 'image/png')
    t.equal((await api.call('GET /favicon.ico')).status, 200)
    t.equal((await api.call('GET /manifest.json')).status, 404)
  })

  await t.test('[WEB1] nothing outside the app is served', async (t) => {
    for (const path of [
      '/static/../../../etc/passwd',
      '/static/%2e%2e/%2e%2e/etc/passwd',
      '/static/..%2f..%2fetc/passwd',
      '/static/..\\..\\etc\\passwd',
      '/static//etc/passwd',
      '/static/link.txt',
      '/static/.hidden',
      '/static/',
      '/static/deep',
      '/secret/key.txt',
      '/static/../secret/key.txt',
      '/static/constructor',
    ]) {
      const answer = await rawGet(server.port, path)
      t.match(answer, /^HTTP\/1.1 404 /, path)
    }
  })

  await t.test('[AUTH9] GOTIFY_SERVER_LEGACYTOKENS makes short tokens unless told', async (t) => {
    const made = async (query: string): Promise<string> => {
      const options = { basic: 'admin:admin', json: { name: 'a' } }
      const { text } = await api.call(`POST /application${query}`, options)
      return (JSON.parse(text) as { token: string }).token
    }
    const short = await made('')
    t.match(short, /^A[\w.-]{14}$/)
    t.match(await made('?legacyToken=false'), /^gtfya\.[\w-]{43}$/)
    t.equal((await api.publish(short, 'with a short token')).status, 200)
  })
})

t.test('[CONF3] a folder that is no web app stops the start', async (t) => {
  const env = { GOTIFY_SERVER_UIDIR: join(await appFolder(t, {}), 'nowhere') }
  const { ending, stderr } = await runToEnd(t, env)
  t.equal(ending, 1)
  t.match(stderr, /GOTIFY_SERVER_UIDIR: must be the folder of a built web app, ENOENT/)
})

t.test('[CONF3] readWebFolder() refuses a folder without index.html', async (t) => {
  const folder = await appFolder(t, { 'static/app.js': SCRIPT })
  await t.rejects(readWebFolder(folder), /GOTIFY_SERVER_UIDIR: .* it has no index\.html/)
})

t.test('[CONF3] readWebFolder() refuses a folder with a file that may not be read', async (t) => {
  const folder = await appFolder(t, { 'index.html': INDEX, 'app.js': SCRIPT })
  await chmod(folder, 0o755)
  await chmod(join(folder, 'app.js'), 0)
  // Root may read everything, so nobody asks.
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    await t.rejects(readWebFolder(folder), {
      name: 'StartError',
      message: /^GOTIFY_SERVER_UIDIR: .*, EACCES: permission denied.*app\.js/,
    })
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})
