/**
 * Opens the door: a TCP port or a unix socket, with errors that say what is wrong (uWebSockets.js
 * itself only says that it failed). Gateway thread; start and stop.
 */
import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js'
import { bareHost, hostAndPort, probePort } from './probe-port.ts'
import { StartError } from './start-error.ts'
import { inode, prepareUnixSocket, removeUnixSocket } from './unix-socket.ts'
import { uWS } from './uws.ts'

export interface ListenOptions {
  /** Address or host name, '' for every address, or `unix:/path`. */
  readonly address: string
  /** 0 lets the system choose. */
  readonly port: number
  /** True when several processes share the port (SO_REUSEPORT). */
  readonly shared: boolean
  /** True when another app will take this one's place later; that needs SO_REUSEPORT, too. */
  readonly replaceable: boolean
}

export interface Listener {
  /** Where it listens, as a log line says it: `127.0.0.1:8080` or `unix:/path`. */
  readonly address: string
  /** 0 for a unix socket. */
  readonly port: number
  /** Takes no new connection; open ones go on. */
  close(): Promise<void>
  /**
   * Lets another app listen here before this one stops, so the address is never without a listener.
   * A connection that waits to be accepted in that very moment may be reset.
   */
  handOver(app: TemplatedApp): Promise<Listener>
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
  const host = bareHost(options.address)
  // A shared port is taken by our own; only one that fails is looked into.
  const free = options.shared ? options.port : await probePort(host, options.port)
  if (options.shared || options.replaceable) {
    // Not 0: a port that the system picks for uWebSockets.js is never shared.
    return listenTcp(app, host, free, SHARED_PORT)
  }
  return listenTcp(app, host, options.port, EXCLUSIVE_PORT)
}

async function listenTcp(
  app: TemplatedApp,
  host: string,
  wanted: number,
  flags: number,
): Promise<Listener> {
  const socket = await new Promise<us_listen_socket | false>((resolve) => {
    const full = app as unknown as FullListen
    if (host === '') full.listen(wanted, flags, resolve)
    else full.listen(host, wanted, flags, resolve)
  })
  if (socket === false) {
    await probePort(host, wanted)
    throw new StartError(`Cannot listen on ${hostAndPort(host, wanted)}`)
  }
  const port = uWS.us_socket_local_port(socket)
  const close = async (): Promise<void> => uWS.us_listen_socket_close(socket)
  return {
    address: hostAndPort(host, port),
    port,
    close,
    async handOver(next) {
      const listener = await listenTcp(next, host, port, flags)
      await close()
      return listener
    },
  }
}

async function listenUnix(app: TemplatedApp, path: string): Promise<Listener> {
  await prepareUnixSocket(path)
  return bindUnix(app, path)
}

async function bindUnix(app: TemplatedApp, path: string): Promise<Listener> {
  const socket = await new Promise<us_listen_socket | false>((resolve) => {
    app.listen_unix(resolve, path)
  })
  if (socket === false) throw new StartError(`Cannot listen on unix:${path}`)
  const file = await inode(path)
  const close = async (): Promise<void> => {
    uWS.us_listen_socket_close(socket)
    if (file !== null) await removeUnixSocket(path, file.id)
  }
  return {
    address: UNIX + path,
    port: 0,
    close,
    async handOver(next) {
      if (file !== null) await removeUnixSocket(path, file.id)
      const listener = await bindUnix(next, path)
      await close()
      return listener
    },
  }
}
