/**
 * How the embedded PostgreSQL runs. All of it goes on the command line, so that a data folder of an
 * older version runs with the settings of this one. Who wants to tune more runs a server of their own.
 */
import type { Site } from './data-folder.ts'

const SETTINGS: Readonly<Record<string, string>> = {
  // Reached by a unix socket in a closed folder alone, and only its owner (or root) may open that.
  listen_addresses: '',
  unix_socket_permissions: '0700',

  // The promise "200 means committed": never traded for speed.
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',

  // Messages are read soon after they are written; this holds some 500,000 recent ones.
  shared_buffers: '128MB',
  // Each checkpoint makes every page go whole into the log once more: seldom is cheap. The bound on
  // the log (and so on recovery after a crash, some seconds) is its size.
  checkpoint_timeout: '15min',
  max_wal_size: '1GB',
  // Nobody replicates from a private socket.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',

  // Short statements on few rows: compiling, splitting or reading ahead costs more than it gives,
  // and each helper is a process with its memory.
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  io_method: 'sync',

  // A transaction that is left open would hold back the clean-up of the message table.
  idle_in_transaction_session_timeout: '60s',

  // To the pipe we read, one line an event, its severity first. Failed statements are reported to
  // whoever sent them; their text stays out of logs, as it may hold a token.
  log_destination: 'stderr',
  logging_collector: 'off',
  log_line_prefix: '',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  timezone: 'UTC',
  log_timezone: 'UTC',
}

/** Name of the socket file and of its lock: `.s.PGSQL.<port>`. */
export const SOCKET_PORT = 5432

/** The setting that names the process that started this server; PostgreSQL keeps unknown dotted names. */
const OWNER_SETTING = 'bellwire.owner'

/** Arguments of the `postgres` program; the owner among them is for the next start to find. */
export function postgresArguments(
  site: Pick<Site, 'dataFolder' | 'socketFolder' | 'owner' | 'connections'>,
): string[] {
  const { dataFolder, socketFolder, owner, connections } = site
  const settings = {
    ...SETTINGS,
    port: String(SOCKET_PORT),
    max_connections: String(connections),
    unix_socket_directories: socketListItem(socketFolder),
    [OWNER_SETTING]: owner,
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return ['-D', dataFolder, ...flags]
}

/** Tells whether a command line is of a server on this data folder. */
export function servesFolder(command: string, dataFolder: string): boolean {
  return command.includes(` -D ${dataFolder} `)
}

/** Tag of the owner in the command line of a server, null if Bellwire did not start it. */
export function ownerOf(command: string): string | null {
  return new RegExp(` ${OWNER_SETTING}=(\\S+)`).exec(command)?.[1] ?? null
}

/** The setting is a list: quoted, a comma or a space in the path is part of it. */
function socketListItem(folder: string): string {
  return `"${folder.replaceAll('"', '""')}"`
}
