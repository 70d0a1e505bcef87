/**
 * A real NATS server for a test: built once by the Go tool chain, kept in the cache folder of
 * node_modules.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Teardown } from './bellwire.ts'

const MODULE = 'github.com/nats-io/nats-server/v2@v2.10.29'
/** From packages/api/dist/test/support, where the compiled test runs. */
const CACHE = fileURLToPath(
  new URL('../../../../../node_modules/.cache/bellwire-test', import.meta.url),
)

const BUILD_LIMIT_MS = 240_000

const run = promisify(execFile)

export class NatsServer {
  readonly port: number
  readonly #program: string
  #child: ChildProcess | null = null

  constructor(program: string, port: number) {
    this.#program = program
    this.port = port
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const args = ['-a', '127.0.0.1', '-p', String(this.port)]
    this.#child = spawn(this.#program, args, { stdio: 'ignore' })
    while (!(await takesConnections(this.port))) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
}

/** Tells why there is none where it cannot be built: without Go, or without its module proxy. */
export async function startNatsServer(t: Teardown): Promise<NatsServer | string> {
  const program = join(CACHE, 'nats-server')
  const problem = (await exists(program)) ? null : await build()
  if (problem !== null) return problem
  const server = new NatsServer(program, await freePort())
  t.teardown(() => server.kill())
  await server.start()
  return server
}

async function build(): Promise<string | null> {
  await mkdir(CACHE, { recursive: true })
  try {
    const env = { ...process.env, GOBIN: CACHE }
    await run('nice', ['go', 'install', MODULE], { env, timeout: BUILD_LIMIT_MS })
    return null
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    return `nats-server could not be built: ${text.replaceAll(/\s+/g, ' ')}`
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('No port')
  return address.port
}
