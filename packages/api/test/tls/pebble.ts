/**
 * Pebble, the test server of Let's Encrypt, built by `go` and run on free ports, with a name server
 * that finds every host on this machine.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { probePort } from '../../src/http/probe-port.ts'
import { createTestCertificate } from '../support/test-certificate.ts'

const MODULE = 'github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1'
const TYPE_A = 1
const DNS_HEADER_BYTES = 12

export interface Pebble {
  readonly directoryUrl: string
  /** Path of the certificate to trust. */
  readonly trust: string
  /** Where it looks for answers to challenges. */
  readonly httpPort: number
}

/** Returns a reason instead, where it cannot be built. */
export async function startPebble(t: Test): Promise<Pebble | string> {
  const program = join(tmpdir(), 'bellwire-pebble-v2.10.1', 'pebble')
  try {
    const env = { ...process.env, GOBIN: join(program, '..') }
    await promisify(execFile)('go', ['install', MODULE], { env })
  } catch (error) {
    return `Pebble cannot be built by go: ${String(error).split('\n', 1)[0] ?? ''}`
  }
  const folder = await mkdtemp(join(tmpdir(), 'bellwire-acme-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const own = await createTestCertificate()
  const [certificate, privateKey] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  await writeFile(certificate, own.certificate)
  await writeFile(privateKey, own.key)
  const [port, managementPort, httpPort] = [await free(), await free(), await free()]
  const config = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    ...{ certificate, privateKey, httpPort, tlsPort: await free() },
  }
  const file = join(folder, 'config.json')
  await writeFile(file, JSON.stringify({ pebble: config }))
  const names = await startNameServer(t)
  const child = spawn(program, ['-config', file, '-dnsserver', `127.0.0.1:${names}`], {
    env: { ...process.env, PEBBLE_VA_NOSLEEP: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(async () => {
    child.kill()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  await listening(child)
  return { directoryUrl: `https://127.0.0.1:${port}/dir`, trust: certificate, httpPort }
}

function free(): Promise<number> {
  return probePort('127.0.0.1', 0)
}

async function listening({ stdout }: ChildProcess): Promise<void> {
  let text = ''
  stdout?.setEncoding('utf8').on('data', (part: string) => (text += part))
  while (!text.includes('ACME directory available')) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Answers 127.0.0.1 to every question for an IPv4 address, and nothing to others (RFC 1035, over TCP). */
async function startNameServer(t: Test): Promise<number> {
  const server = createServer((socket) => {
    let received = Buffer.alloc(0)
    socket.on('data', (part) => {
      received = Buffer.concat([received, part])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      const reply = answer(received.subarray(2))
      const length = Buffer.alloc(2)
      length.writeUInt16BE(reply.length)
      socket.end(Buffer.concat([length, reply]))
    })
    socket.on('error', () => socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => new Promise((resolve) => void server.close(resolve)))
  return (server.address() as AddressInfo).port
}

function answer(query: Buffer): Buffer {
  const end = query.indexOf(0, DNS_HEADER_BYTES) + 5
  const question = query.subarray(DNS_HEADER_BYTES, end)
  const isAddress = question.readUInt16BE(question.length - 4) === TYPE_A
  const head = Buffer.from([0x81, 0x80, 0, 1, 0, isAddress ? 1 : 0, 0, 0, 0, 0])
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1])
  return Buffer.concat([query.subarray(0, 2), head, question, ...(isAddress ? [record] : [])])
}
