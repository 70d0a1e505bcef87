/**
 * Opens the door: a TCP port or a unix socket, with errors that say what is wrong (uWebSockets.js
 * itself only says that it failed). Gateway thread; start and stop.
 */
import { createServer } from 'node:net'
import uWS, { type TemplatedApp, type us_listen_socket } from 'uWebSockets.js'
import { StartError } from './start-error.ts'
import { inode, prepareUnixSocket, removeUnixSocket } from './unix-socket.ts'

export interface ListenOptions {
  /** Address or host name, '' for every address, or `unix:/path`. */
  readonly address: string
  /** 0 lets the system choose. */
  readonly port: number
  /** True when several processes share the port (SO_REUSEPORT). */
  readonly shared: boolean
}

export interface Listener {
  /** Where it listens, as a log line says it: `127.0.0.1:8080` or `unix:/path`. */
  readonly address: string
  /** 0 for a unix socket. */
  readonly port: number
  /** Takes no new connection; open ones go on. */
  close(): Promise<void>
}

/** The calls with options as they are: the typings lack one and give the flags an enum that is not there. */
interface FullListen {
  listen(port: number, flags: number, callback: ListenCallback): unknown
  listen(host: string, port: number, flags: number, callback: ListenCallback): unknown
}

type ListenCallback = (socket: us_listen_socket | false) => void

const SHARED_PORT = 0
const EXCLUSIVE_PORT = 1
const UNIX = 'unix:'

/** @throws {StartError} if the port or path is taken, not allowed or not there */
export async function listen(app: TemplatedApp, options: ListenOptions): Promise<Listener> {
  if (options.address.startsWith(UNIX)) return listenUnix(app, options.address.slice(UNIX.length))
  const host = options.address.replace(/^\[(.*)\]$/, '$1')
  const shown = `${host.includes(':') ? `[${host}]` : host}:${options.port}`
  await probe(host, options, shown)
  const socket = await new Promise<us_listen_socket | false>((resolve) => {
    const flags = options.shared ? SHARED_PORT : EXCLUSIVE_PORT
    const full = app as unknown as FullListen
    if (host === '') full.listen(options.port, flags, resolve)
    else full.listen(host, options.port, flags, resolve)
  })
  if (socket === false) throw new StartError(`Cannot listen on ${shown}`)
  const port = uWS.us_socket_local_port(socket)
  return {
    address: shown.replace(/:\d+$/, `:${port}`),
    port,
    close: async () => uWS.us_listen_socket_close(socket),
  }
}

async function listenUnix(app: TemplatedApp, path: string): Promise<Listener> {
  await prepareUnixSocket(path)
  const socket = await new Promise<us_listen_socket | false>((resolve) => {
    app.listen_unix(resolve, path)
  })
  if (socket === false) throw new StartError(`Cannot listen on unix:${path}`)
  const file = await inode(path)
  return {
    address: UNIX + path,
    port: 0,
    close: async () => {
      uWS.us_listen_socket_close(socket)
      if (file !== null) await removeUnixSocket(path, file.id)
    },
  }
}

/** Lets Node try first, because it names the reason. */
async function probe(host: string, options: ListenOptions, shown: string): Promise<void> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port: options.port, exclusive: true, ...(host !== '' && { host }) }, resolve)
    })
    await new Promise((resolve) => server.close(resolve))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    // With a shared port the other process may be one of ours.
    if (code === 'EADDRINUSE' && options.shared) return
    throw new StartError(`Cannot listen on ${shown}: ${reason(code, error)}`, { cause: error })
  }
}

function reason(code: unknown, error: unknown): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'another process listens there'
    case 'EACCES':
      return 'this user may not use the port (ports below 1024 need a privilege)'
    case 'EADDRNOTAVAIL':
      return 'the address belongs to no network interface of this machine'
    case 'ENOTFOUND':
      return 'the host name is unknown'
    default:
      return error instanceof Error ? error.message : String(error)
  }
}
