/**
 * TCP keep-alive for all connections of a port. uWebSockets.js cannot set it, but on Linux a socket
 * has it from the one that listens: those are found in /proc and given to a child process for a
 * moment, because Node wraps no socket that its own event loop watches already. Gateway thread; in
 * the turn in which the listener opens, so that no connection is without.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { StartError } from './start-error.ts'

const PROGRAM = fileURLToPath(new URL('./set-keep-alive.js', import.meta.url))
const OWN_FILES = '/proc/self/fd'
/** IPv4 and IPv6; the kernel lists sockets that listen before all others. */
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6']
const TABLE_BYTES = 65_536
/** TCP_LISTEN in those tables. */
const LISTENS = '0A'

/**
 * Blocks for some 100 ms.
 * @param seconds of silence before the first probe; 0 or less: nothing is done
 * @throws {StartError} where it cannot be set
 */
export function keepAlive(port: number, seconds: number): void {
  if (seconds <= 0) return
  const files = listeningFiles(port)
  const { status } = spawnSync(process.execPath, [PROGRAM, `${files.length}`, `${seconds}`], {
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', ...files],
  })
  if (files.length > 0 && status === 0) return
  throw new StartError(
    'GOTIFY_SERVER_KEEPALIVEPERIODSECONDS cannot be carried out here: set it to 0',
  )
}

/** File descriptors of the sockets of this process that listen on the port. */
function listeningFiles(port: number): number[] {
  if (process.platform !== 'linux') return []
  const sockets = new Set(TABLES.flatMap((table) => listeningSockets(table, port)))
  return readdirSync(OWN_FILES)
    .map(Number)
    .filter((file) => sockets.has(target(file)))
}

/** As a link in /proc names them. */
function listeningSockets(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return beginningOf(table)
    .split('\n')
    .map((line) => line.trim().split(/ +/))
    .filter(([, local, , state]) => local?.endsWith(wanted) === true && state === LISTENS)
    .map((columns) => `socket:[${columns[9]}]`)
}

function beginningOf(table: string): string {
  const file = openSync(table, 'r')
  try {
    const bytes = Buffer.alloc(TABLE_BYTES)
    let length = 0
    for (;;) {
      const read = readSync(file, bytes, length, TABLE_BYTES - length, null)
      length += read
      if (read === 0) return bytes.toString('latin1', 0, length)
    }
  } finally {
    closeSync(file)
  }
}

/** The folder's own descriptor is closed by now. */
function target(file: number): string {
  try {
    return readlinkSync(`${OWN_FILES}/${file}`)
  } catch {
    return ''
  }
}
