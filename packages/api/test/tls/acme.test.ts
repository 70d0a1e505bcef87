/** Certificates by ACME: against Pebble where it can be built, and the decision when to renew. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { pino } from 'pino'
import t from 'tap'
import { probePort } from '../../src/http/probe-port.ts'
import { Challenges } from '../../src/tls/acme/challenges.ts'
import { dueAt, Renewal } from '../../src/tls/acme/renewal.ts'
import type { Certificate } from '../../src/tls/certificate.ts'
import { type Environment, startBellwire } from '../support/bellwire.ts'
import { type Pebble, startPebble } from './pebble.ts'
import { callTls, eventually } from './tls-client.ts'

t.setTimeout(300_000)

const DAY_MS = 24 * 60 * 60 * 1000
const HOST = 'push.example.org'

const pebble = await startPebble(t)
const skip = typeof pebble === 'string' && pebble

t.test('[TLS4] Bellwire gets its certificate from an ACME authority', { skip }, async (t) => {
  if (typeof pebble === 'string') return
  const bellwire = await startBellwire(t, letsEncrypt(pebble, 0))
  const served = (): string =>
    bellwire.logs.findLast((line) => line.includes('"msg":"HTTPS is served"')) ?? ''
  await eventually(() => served() !== '')
  const port = Number(/"address":"[^"]*:(\d+)"/.exec(served())?.[1])
  t.equal((await callTls(port, '/health')).status, 200)

  const cache = join(bellwire.dataDir, 'certs')
  const names = (await readdir(cache)).filter((name) => name.endsWith('.pem')).toSorted()
  t.match(names, ['account-key.pem', /^certificate-[\da-f]{16}\.pem$/])
  for (const name of names) t.equal((await stat(join(cache, name))).mode & 0o777, 0o600, name)
  t.equal((await stat(cache)).mode & 0o777, 0o700)
  const pem = await readFile(join(cache, names[1] ?? ''), 'utf8')
  const certificate = new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')))
  t.match(certificate.issuer, 'Pebble')
  t.ok(certificate.checkHost(HOST))
  t.ok(certificate.checkHost('other.example.org'))
  t.strictSame(await readdir(join(cache, 'challenges')), [], 'no challenge is left')

  const base = `http://127.0.0.1:${bellwire.port}`
  const challenge = await fetch(`${base}/.well-known/acme-challenge/unknown`, {
    redirect: 'manual',
  })
  t.equal(challenge.status, 404)
  t.equal((await fetch(base, { redirect: 'manual' })).status, 302)

  t.equal(await bellwire.stop(), 0)
  const orders = (): number =>
    bellwire.logs.filter((line) => line.includes('A certificate is ordered')).length
  t.equal(orders(), 1)
  await bellwire.start()
  t.equal(orders(), 1, 'the next start takes it from the cache')
})

t.test('[CLU16] One member of a cluster orders, all serve it', { skip }, async (t) => {
  if (typeof pebble === 'string') return
  const port = await probePort('127.0.0.1', 0)
  const bellwire = await startBellwire(t, {
    ...letsEncrypt(pebble, port),
    GOTIFY_SERVER_CLUSTER_PROCESSES: '2',
    GOTIFY_SERVER_STREAM_SHARDTHREADS: '1',
  })
  const lines = (text: string): number =>
    bellwire.logs.filter((line) => line.includes(`"msg":"${text}"`)).length
  await eventually(() => lines('HTTPS is served') === 2)
  t.equal(lines('A certificate is ordered'), 1)
  const shown = await Promise.all(Array.from({ length: 24 }, () => callTls(port, '/health')))
  t.equal(new Set(shown.map(({ serialNumber }) => serialNumber)).size, 1)
  t.equal(await bellwire.stop(), 0)
})

t.test('[TLS4] Challenges serves no file beside its own', async (t) => {
  const cache = t.testdir({ 'account-key.pem': 'secret', challenges: { known: 'answer' } })
  const challenges = new Challenges(cache)
  t.equal(await challenges.find('known'), 'answer')
  for (const token of ['../account-key.pem', 'a/b', '', '.', 'x'.repeat(201), 'unknown']) {
    t.equal(await challenges.find(token), null, token)
  }
  await t.rejects(challenges.put('../x', 'y'), RangeError)
  await challenges.remove('../account-key.pem')
  t.equal(await readFile(join(cache, 'account-key.pem'), 'utf8'), 'secret')
})

t.test('[TLS5] dueAt() leaves a third of the life, and up to a tenth of that more', (t) => {
  const certificate = { notBefore: 0, notAfter: 90 * DAY_MS, fingerprint: '' }
  t.equal(dueAt(certificate, 0), 60 * DAY_MS)
  t.equal(dueAt(certificate, 1), 57 * DAY_MS)
  t.end()
})

t.test('[TLS5] Renewal orders when it is due, alone, and outlives a failure', async (t) => {
  const events: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => void events.push(`log ${line}`) })
  let now = 0
  let current: Certificate | null = null
  let order = async (): Promise<void> => {
    events.push('order')
    current = { notBefore: now, notAfter: now + 90 * DAY_MS, fingerprint: '' }
  }
  let isAlone = true
  const look = async (): Promise<readonly string[]> => {
    events.length = 0
    const renewal = new Renewal({
      clock: { now: () => now },
      log,
      current: async () => current,
      order: () => order(),
      alone: async (work) => {
        if (isAlone) await work()
        return isAlone
      },
      renewed: async () => void events.push('renewed'),
      random: () => 0,
    })
    renewal.start()
    renewal.stop()
    await renewal.idle
    return [...events]
  }
  isAlone = false
  t.strictSame(await look(), [], 'another process orders')
  isAlone = true
  t.strictSame(await look(), ['order', 'renewed'])
  t.strictSame(await look(), [], 'there is one')
  now = 61 * DAY_MS
  t.strictSame(await look(), ['order', 'renewed'], 'a third is left')
  now += 61 * DAY_MS
  order = () => Promise.reject(new Error('the authority is away'))
  t.match(await look(), [
    /"retryInSeconds":600.*the authority is away|the authority is away.*"retryInSeconds":600/,
  ])
})

/** @param tlsPort 0 lets the system choose */
function letsEncrypt({ trust, httpPort, directoryUrl }: Pebble, tlsPort: number): Environment {
  return {
    NODE_EXTRA_CA_CERTS: trust,
    GOTIFY_SERVER_PORT: String(httpPort),
    GOTIFY_SERVER_SSL_ENABLED: 'true',
    GOTIFY_SERVER_SSL_LISTENADDR: '127.0.0.1',
    GOTIFY_SERVER_SSL_PORT: String(tlsPort),
    GOTIFY_SERVER_SSL_LETSENCRYPT_ENABLED: 'true',
    GOTIFY_SERVER_SSL_LETSENCRYPT_ACCEPTTOS: 'true',
    GOTIFY_SERVER_SSL_LETSENCRYPT_DIRECTORYURL: directoryUrl,
    GOTIFY_SERVER_SSL_LETSENCRYPT_HOSTS: `${HOST},other.example.org`,
  }
}
