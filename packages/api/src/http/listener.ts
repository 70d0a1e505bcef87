/**
 * Opens the door: a TCP port or a unix socket, with errors that say what is wrong (uWebSockets.js
 * itself only says that it failed). Gateway thread; start and stop.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js'
import { bareHost, hostAndPort, probePort } from './probe-port.ts'
import { StartError } from './start-error.ts'
import { keepAlive } from './tcp-keep-alive.ts'
import { inode, prepareUnixSocket, removeUnixSocket } from './unix-socket.ts'
import { uWS } from './uws.ts'

export interface ListenOptions {
  /** Address or host name, '' for every address, or `unix:/path`. */
  readonly address: string
  /** 0 lets the system choose; not where it is shared. */
  readonly port: number
  /** True when several processes share the port. */
  readonly shared: boolean
  /** Seconds of silence before TCP asks whether the other end is there; 0 or less: never. */
  readonly keepAliveSeconds: number
}

export interface Listener {
  /** Where it listens, as a log line says it: `127.0.0.1:8080` or `unix:/path`. */
  readonly address: string
  /** 0 for a unix socket. */
  readonly port: number
  /** Takes those that wait, then no new connection; open ones go on. */
  close(): Promise<void>
  /**
   * Lets another app listen here before this one stops, so the address is never without a listener.
   * A connection that is made in the very moment of the change may be reset.
   */
  handOver(app: TemplatedApp): Promise<Listener>
}

/** The calls with options as they are: the typings lack one and give the flags an enum that is not there. */
interface FullListen {
  listen(port: number, flags: number, callback: ListenCallback): unknown
  listen(host: string, port: number, flags: number, callback: ListenCallback): unknown
}

type ListenCallback = (socket: us_listen_socket | false) => void

/** SO_REUSEPORT. */
const SHARED_PORT = 0
const EXCLUSIVE_PORT = 1
/**
 * Sockets that listen on one port. The kernel deals new connections out to them, and each has a
 * queue of its own for those that wait to be accepted: 512, fixed in uWebSockets.js. Whoever finds
 * it full tries again after 1, 3 and 7 s, so that a crowd that returns would shut others out.
 */
const SOCKETS_A_PORT = 8
const UNIX = 'unix:'

/** @throws {StartError} if the port or path is taken, not allowed or not there */
export async function listen(app: TemplatedApp, options: ListenOptions): Promise<Listener> {
  if (options.address.startsWith(UNIX)) return listenUnix(app, options.address.slice(UNIX.length))
  const host = bareHost(options.address)
  const { port, keepAliveSeconds } = options
  // Without an await in between: what is no Bellwire has some 20 us to come in, and no more. (Those
  // take turns, start-turns.ts.)
  const free = options.shared ? port : freePort(app, host, port)
  const listener = free === null ? null : listenTcp(app, host, free, keepAliveSeconds)
  return listener ?? cannotListen(host, port)
}

async function cannotListen(host: string, port: number): Promise<never> {
  await probePort(host, port)
  throw new StartError(`Cannot listen on ${hostAndPort(host, port)}`)
}

/** Takes the port alone for a moment, which fails if anybody listens there; null then. */
function freePort(app: TemplatedApp, host: string, wanted: number): number | null {
  const socket = open(app, host, wanted, EXCLUSIVE_PORT)
  if (socket === null) return null
  const port = uWS.us_socket_local_port(socket)
  uWS.us_listen_socket_close(socket)
  return port
}

/** @returns null if the port cannot be had */
function listenTcp(
  app: TemplatedApp,
  host: string,
  port: number,
  keepAliveSeconds: number,
): Listener | null {
  const sockets: us_listen_socket[] = []
  while (sockets.length < SOCKETS_A_PORT) {
    const socket = open(app, host, port, SHARED_PORT)
    if (socket === null) {
      sockets.forEach(uWS.us_listen_socket_close)
      return null
    }
    sockets.push(socket)
  }
  keepAlive(port, keepAliveSeconds)
  const close = async (): Promise<void> => {
    await acceptWaiting()
    sockets.forEach(uWS.us_listen_socket_close)
  }
  return {
    address: hostAndPort(host, port),
    port,
    close,
    async handOver(next) {
      const listener =
        listenTcp(next, host, port, keepAliveSeconds) ?? (await cannotListen(host, port))
      await close()
      return listener
    },
  }
}

/** The callback is called at once. */
function open(
  app: TemplatedApp,
  host: string,
  port: number,
  flags: number,
): us_listen_socket | null {
  let opened: us_listen_socket | false = false
  const full = app as unknown as FullListen
  const callback: ListenCallback = (socket) => (opened = socket)
  if (host === '') full.listen(port, flags, callback)
  else full.listen(host, port, flags, callback)
  return opened === false ? null : opened
}

/**
 * Lets the event loop accept all who wait: the kernel resets those that a socket leaves behind. The
 * first turn may have looked for new connections already, the second one looks for sure.
 */
async function acceptWaiting(): Promise<void> {
  await nextTurn()
  await nextTurn()
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
    await acceptWaiting()
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
