import { createHash } from 'node:crypto'
import { ed25519ph } from '@noble/curves/ed25519'
import t from 'tap'
import { readBasic, readCredentials } from '../../src/auth/credentials.ts'
import { crossSiteRefusal } from '../../src/auth/cross-site.ts'
import { clearedSessionCookie, sessionCookie } from '../../src/auth/session-cookie.ts'
import {
  createLegacyToken,
  createToken,
  isRememberable,
  parseToken,
  storedForm,
} from '../../src/auth/tokens.ts'

const NOW = Date.UTC(2026, 0, 1)
/** RFC 8032, section 7.1, test 1. */
const SEED = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
const PUBLIC = Buffer.from(
  'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  'hex',
)

t.test('[AUTH6] createToken() makes what storedForm() derives', (t) => {
  for (const kind of ['a', 'c'] as const) {
    const { token, stored, hash } = createToken(kind)
    t.match(token, new RegExp(`^gtfy${kind}\\.[A-Za-z0-9_-]{43}$`))
    t.equal(storedForm(parseToken(token), NOW), stored)
    t.not(stored, token)
    t.strictSame(hash, createHash('sha256').update(token).digest())
  }
  t.not(createToken('a').token, createToken('a').token)
  t.end()
})

t.test('[AUTH6] createLegacyToken() makes a token of Gotify v2', (t) => {
  const { token, stored } = createLegacyToken('A')
  t.match(token, /^A[A-Za-z0-9._-]{14}$/)
  t.equal(stored, token)
  t.equal(storedForm(parseToken(token), NOW), token)
  t.end()
})

t.test('[AUTH6] storedForm() derives the public key of a seed', (t) => {
  const token = `gtfyc.${SEED.toString('base64url')}`
  t.equal(storedForm(parseToken(token), NOW), `gtfyc.${PUBLIC.toString('base64url')}`)
  t.end()
})

t.test('parseToken() refuses malformed tokens in Gotify’s words', (t) => {
  const key = 'A'.repeat(43)
  const cases = [
    ['gtfyc', 'token must have 2 or 4 fields separated by dots'],
    ['gtfyc.a.b', 'token must have 2 or 4 fields separated by dots'],
    ['gtfyc.a.b.c.d', 'token must have 2 or 4 fields separated by dots'],
    ['gtfyc.', 'private key must be 32 bytes'],
    ['gtfyc.tooshort', 'private key must be 32 bytes'],
    [`gtfyc.${key}A`, 'private key must be 32 bytes'],
    ['gtfyc.AAAA.1.AAAA', 'public key must be 32 bytes'],
    [`gtfyc.${key}.1.AAAA`, 'signature must be 64 bytes'],
    [`gtfyc.${key}.x.AAAA`, 'timestamp must be a number'],
    ['gtfyc.not base64!', 'base64 decode failed'],
  ] as const
  for (const [token, reason] of cases) {
    t.throws(() => parseToken(token), {
      code: 'UNAUTHENTICATED',
      message: `cannot parse token: ${reason}`,
    })
  }
  t.end()
})

t.test('[AUTH6] a signed token proves its key for a quarter of an hour', (t) => {
  function signed(seconds: number, claim = seconds): string {
    const signature = ed25519ph.sign(Buffer.from(`iat=${seconds}`), SEED)
    const key = PUBLIC.toString('base64url')
    return `gtfya.${key}.${claim}.${Buffer.from(signature).toString('base64url')}`
  }
  const now = NOW / 1000
  const stored = `gtfya.${PUBLIC.toString('base64url')}`
  t.equal(storedForm(parseToken(signed(now)), NOW), stored)
  t.equal(storedForm(parseToken(signed(now - 899)), NOW), stored)
  t.equal(storedForm(parseToken(signed(now - 901)), NOW), null, 'too old')
  t.equal(storedForm(parseToken(signed(now + 901)), NOW), null, 'too early')
  t.equal(storedForm(parseToken(signed(now - 5000, now)), NOW), null, 'signed for another time')
  t.equal(isRememberable(signed(now)), false)
  t.equal(isRememberable(createToken('a').token), true)
  t.end()
})

t.test('[AUTH1] readCredentials() takes the first of four places', (t) => {
  const all = {
    query: 'x=1&token=q%2Bq',
    'x-gotify-key': 'h',
    authorization: 'bEaReR b',
    cookie: 'other=1; gotify-client-token=c; more=2',
  }
  function read(parts: Partial<typeof all>): unknown {
    const headers: Record<string, string | undefined> = parts
    const { token, source } = readCredentials({
      getHeader: (name) => headers[name] ?? '',
      getQuery: () => headers['query'],
    })
    return [token, source]
  }
  t.strictSame(read(all), ['q+q', 'query'])
  t.strictSame(read({ ...all, query: 'token=' }), ['h', 'header'])
  t.strictSame(read({ authorization: all.authorization, cookie: all.cookie }), ['b', 'bearer'])
  t.strictSame(read({ cookie: all.cookie }), ['c', 'cookie'])
  t.strictSame(read({ cookie: 'gotify-client-token="quoted"' }), ['quoted', 'cookie'])
  t.strictSame(read({ cookie: 'x-gotify-client-token=c' }), ['', null])
  t.strictSame(read({ authorization: 'Bearer' }), ['', null])
  t.strictSame(read({ authorization: 'Bearer  two' }), [' two', 'bearer'])
  t.strictSame(read({ authorization: 'Token b' }), ['', null])
  t.strictSame(read({ query: 'xtoken=q&tokens=1' }), ['', null])
  t.end()
})

t.test('[AUTH2] readBasic() reads a name and a password with colons in it', (t) => {
  function encoded(text: string): string {
    return Buffer.from(text).toString('base64')
  }
  t.strictSame(readBasic(`Basic ${encoded('ü:a:b')}`), { name: 'ü', password: 'a:b' })
  t.strictSame(readBasic(`bAsIc ${encoded(':')}`), { name: '', password: '' })
  t.equal(readBasic(`Basic ${encoded('no colon')}`), null)
  t.equal(readBasic('Basic not base64!'), null)
  t.equal(readBasic(''), null)
  t.end()
})

t.test('[AUTH5] crossSiteRefusal() guards what a browser sends on its own', (t) => {
  function refuses(
    method: string,
    source: 'cookie' | 'header',
    headers: Record<string, string>,
  ): boolean {
    const req = { getHeader: (name: string) => headers[name] ?? '', getQuery: () => undefined }
    return crossSiteRefusal(req, method, { token: 't', source, basic: null }) !== null
  }
  const host = 'push.test'
  t.equal(refuses('POST', 'cookie', { 'sec-fetch-site': 'cross-site' }), true)
  t.equal(refuses('POST', 'cookie', { 'sec-fetch-site': 'same-site' }), true)
  t.equal(refuses('POST', 'cookie', { 'sec-fetch-site': 'same-origin' }), false)
  t.equal(refuses('POST', 'cookie', { 'sec-fetch-site': 'none' }), false)
  t.equal(refuses('POST', 'cookie', { host, origin: 'https://push.test' }), false)
  t.equal(refuses('POST', 'cookie', { host, origin: 'https://other.test' }), true)
  t.equal(refuses('POST', 'cookie', { host, origin: 'null' }), true)
  t.equal(refuses('POST', 'cookie', { host }), false)
  t.equal(refuses('GET', 'cookie', { 'sec-fetch-site': 'cross-site' }), false)
  t.equal(refuses('POST', 'header', { 'sec-fetch-site': 'cross-site' }), false)
  t.end()
})

t.test('session cookies have Gotify’s attributes', (t) => {
  t.strictSame(sessionCookie('x', false), [
    'set-cookie',
    'gotify-client-token=x; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict',
  ])
  t.strictSame(clearedSessionCookie(true), [
    'set-cookie',
    'gotify-client-token=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict',
  ])
  t.end()
})
