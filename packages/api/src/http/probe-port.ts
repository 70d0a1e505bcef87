/**
 * Finds out why a port cannot be had: uWebSockets.js only says that it failed, and where a port is
 * shared it doesn't even fail. Before listening; on a main thread.
 */
import type { Config } from '@bellwire/common/config'
import { createServer } from 'node:net'
import { StartError } from './start-error.ts'
import { prepareUnixSocket } from './unix-socket.ts'

const UNIX = 'unix:'

/**
 * Tries every address that will be listened on, so that a wrong one is told before the database starts.
 * @returns the port for plain HTTP; where it is 0, one that the system has free. 0 for a Unix socket.
 * @throws {StartError} if a port or path is taken, not allowed or not there
 */
export async function probeAddresses({ server }: Config): Promise<number> {
  const port = await probePort(server.listenAddr, server.port, 'GOTIFY_SERVER')
  const { ssl } = server
  if (ssl.enabled) await probePort(ssl.listenAddr, ssl.port, 'GOTIFY_SERVER_SSL')
  return port
}

/** Every TCP port that will be listened on; 0 where the system chooses, or there is none. */
export function portsOf({ server }: Config): number[] {
  const { ssl } = server
  return [
    server.listenAddr.startsWith(UNIX) ? 0 : server.port,
    ssl.enabled && !ssl.listenAddr.startsWith(UNIX) ? ssl.port : 0,
  ]
}

/**
 * Listens for a moment as the only one; of a Unix socket the way is cleared.
 * @param settings what the names of the two settings begin with, for the error
 * @returns the port; where it is 0, one that the system has free. 0 for a Unix socket.
 * @throws {StartError} if the port is taken, not allowed or not there
 */
export async function probePort(address: string, port: number, settings = ''): Promise<number> {
  if (address.startsWith(UNIX)) {
    await prepareUnixSocket(address.slice(UNIX.length), nameOf(settings, 'LISTENADDR'))
    return 0
  }
  const host = bareHost(address)
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port, exclusive: true, ...(host !== '' && { host }) }, resolve)
    })
    const bound = server.address()
    await new Promise((resolve) => server.close(resolve))
    return typeof bound === 'object' && bound !== null ? bound.port : port
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const isThePort = code === 'EADDRINUSE' || code === 'EACCES'
    const shown = hostAndPort(host, port) + nameOf(settings, isThePort ? 'PORT' : 'LISTENADDR')
    throw new StartError(`Cannot listen on ${shown}: ${reason(code, error)}`, { cause: error })
  }
}

/** Without the brackets of an IPv6 address. */
export function bareHost(address: string): string {
  return address.replace(/^\[(.*)\]$/, '$1')
}

/** As a log line shows it. */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function nameOf(settings: string, culprit: 'LISTENADDR' | 'PORT'): string {
  return settings === '' ? '' : ` (${settings}_${culprit})`
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
