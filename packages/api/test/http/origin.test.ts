import t from 'tap'
import { addressText, TrustedProxies } from '../../src/http/client-address.ts'
import { CorsPolicy, decideOrigin } from '../../src/http/cors.ts'

const NOTHING = { allowOrigins: [], allowMethods: [], allowHeaders: [] }
const HOST = 'push.test:8080'

t.test('CorsPolicy without settings', (t) => {
  const cors = new CorsPolicy({ cors: NOTHING, responseHeaders: {} })

  t.test('lets in its own pages, over both schemes, and everything that is no page', (t) => {
    for (const origin of ['', `http://${HOST}`, `https://${HOST}`]) {
      t.strictSame(cors.decide(origin, HOST), { allowed: true, headers: [] }, origin)
    }
    t.end()
  })

  t.test('[API6] refuses every other origin', (t) => {
    for (const origin of ['http://other.test', 'null', `HTTP://${HOST}`, 'http://push.test']) {
      t.equal(cors.decide(origin, HOST).allowed, false, origin)
      t.equal(cors.options(origin, HOST).status, 403, origin)
    }
    t.end()
  })

  t.test('answers OPTIONS of its own pages with 200', (t) => {
    t.equal(cors.options('', HOST).status, 200)
    t.equal(cors.options(`http://${HOST}`, HOST).status, 200)
    t.end()
  })
  t.end()
})

t.test('CorsPolicy with allowed origins', (t) => {
  const cors = new CorsPolicy({
    cors: {
      allowOrigins: [/.+\.example\.com/],
      allowMethods: ['get', 'POST'],
      allowHeaders: ['Authorization', 'content-type'],
    },
    responseHeaders: { 'X-A': 'b', 'Content-Length': '7' },
  })

  t.test('names the origin in the answer, after the response headers', (t) => {
    const { allowed, headers } = cors.decide('https://PUSH.Example.com', HOST)
    t.equal(allowed, true)
    t.strictSame(headers, [
      ['X-A', 'b'],
      ['Access-Control-Allow-Origin', 'https://PUSH.Example.com'],
      ['Vary', 'Origin'],
    ])
    t.end()
  })

  t.test('adds the response headers to refusals too', (t) => {
    t.strictSame(cors.decide('https://example.org', HOST), {
      allowed: false,
      headers: [['X-A', 'b']],
    })
    t.end()
  })

  t.test('[API7] tells a preflight methods and headers in canonical form', (t) => {
    const { status, headers } = cors.options('https://a.example.com', HOST)
    t.equal(status, 204)
    const got = new Map(headers)
    t.equal(got.get('Access-Control-Allow-Methods'), 'GET,POST')
    t.equal(got.get('Access-Control-Allow-Headers'), 'Authorization,Content-Type')
    t.equal(got.get('Access-Control-Max-Age'), '43200')
    t.equal(got.get('Access-Control-Allow-Origin'), 'https://a.example.com')
    t.end()
  })

  t.test('takes nothing for granted when a request is read raw', (t) => {
    const headers = new Map([['host', HOST]])
    const req = { getHeader: (name: string) => headers.get(name) ?? '', getQuery: () => undefined }
    t.equal(decideOrigin(req, cors).headers, cors.plainHeaders)
    headers.set('origin', 'http://other.test')
    t.equal(decideOrigin(req, cors).allowed, false)
    t.end()
  })
  t.end()
})

t.test('CorsPolicy with a fixed Access-Control-Allow-Origin', (t) => {
  const fixed = 'https://one.test'
  const cors = new CorsPolicy({
    cors: NOTHING,
    responseHeaders: { 'access-control-allow-origin': fixed },
  })
  t.equal(cors.decide(fixed, HOST).allowed, true)
  const refused = cors.decide('https://two.test', HOST)
  t.strictSame(refused, { allowed: false, headers: [['access-control-allow-origin', fixed]] })

  const open = new CorsPolicy({
    cors: NOTHING,
    responseHeaders: { 'Access-Control-Allow-Origin': '*' },
  })
  t.strictSame(open.decide('https://any.test', HOST).headers, [
    ['Access-Control-Allow-Origin', '*'],
  ])
  t.strictSame(open.decide('', HOST).headers, [['Access-Control-Allow-Origin', '*']])
  t.end()
})

t.test('[API8] TrustedProxies.clientAddress()', (t) => {
  const proxies = new TrustedProxies(['127.0.0.1', '::1/128', '10.0.0.0/8'])
  const cases: ReadonlyArray<readonly [socket: string, forwarded: string | undefined, is: string]> =
    [
      ['127.0.0.1', undefined, '127.0.0.1'],
      ['127.0.0.1', '1.2.3.4', '1.2.3.4'],
      ['127.0.0.1', '6.6.6.6, 1.2.3.4, 10.1.1.1', '1.2.3.4'],
      ['127.0.0.1', '10.1.1.1, 10.1.1.2', '10.1.1.1'],
      ['127.0.0.1', 'not an address', '127.0.0.1'],
      ['127.0.0.1', '1.2.3.4, nonsense, 10.1.1.1', '10.1.1.1'],
      ['127.0.0.1', '999.1.1.1,,', '127.0.0.1'],
      ['0:0:0:0:0:0:0:1', '2001:db8::1', '2001:db8::1'],
      ['9.9.9.9', '1.2.3.4', '9.9.9.9'],
    ]
  for (const [socket, forwarded, is] of cases) {
    t.equal(proxies.clientAddress(socket, forwarded), is, `${socket} ${forwarded}`)
  }
  t.equal(new TrustedProxies([]).clientAddress('127.0.0.1', '1.2.3.4'), '127.0.0.1')
  t.end()
})

t.test('addressText() writes what uWebSockets.js hands out', (t) => {
  const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1]
  t.equal(addressText(bytes([192, 168, 1, 2])), '192.168.1.2')
  t.equal(addressText(bytes(mapped)), '127.0.0.1')
  t.equal(
    addressText(bytes([0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 9])),
    '2001:db8:0:0:0:0:0:9',
  )
  t.equal(addressText(bytes([])), '127.0.0.1')
  t.end()
})

function bytes(values: readonly number[]): ArrayBuffer {
  return Uint8Array.from(values).buffer
}
