/**
 * A real NATS server for a test: built once by the Go tool chain, kept in the cache folder of
 * node_modules. Null where there is no Go.
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

/** Null when there is no Go to build it with. */
export async function startNatsServer(t: Teardown): Promise<NatsServer | null> {
  const program = join(CACHE, 'nats-server')
  if (!(await exists(program)) && !(await build())) return null
  const server = new NatsServer(program, await freePort())
  t.teardown(() => server.kill())
  await server.start()
  return server
}

async function build(): Promise<boolean> {
  await mkdir(CACHE, { recursive: true })
  try {
    await run('nice', ['go', 'install', MODULE], { env: { ...process.env, GOBIN: CACHE } })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    // `nice` ends with 127 where it doesn't find the program.
    if (error instanceof Error && 'code' in error && error.code === 127) return false
    throw error
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
