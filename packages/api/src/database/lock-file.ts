/**
 * Finds out who uses a data folder, by the lock file that PostgreSQL keeps there, and clears away a
 * server whose Bellwire was killed. Runs before each start of PostgreSQL; main thread.
 *
 * Two Bellwires that start at once may both stop the leftover and both start a server: PostgreSQL's
 * own lock lets one through, and the other then finds that one's server here.
 */
import { DatabaseStartError } from '@bellwire/common/db'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { DatabaseLogger } from './postgres-log.ts'
import { ownerOf, servesFolder, SOCKET_PORT } from './postgres-settings.ts'
import { isRunning, processFacts, waitUntilGone } from './process-facts.ts'

/** A fast shutdown writes everything out first. */
const FAST_STOP_MS = 30_000
/** An immediate one writes nothing; the next start recovers. */
const IMMEDIATE_STOP_MS = 10_000

export interface LockFile {
  readonly pid: number
  readonly socketFolder: string
  readonly ready: boolean
  /** Nanoseconds since 1970. Tells a server's file from the one that a killed server left. */
  readonly writtenAt: bigint
}

/** Returns null when no server runs, nor died, on the folder. Lines: pidfile.h of PostgreSQL. */
export async function readLockFile(dataFolder: string): Promise<LockFile | null> {
  const file = await openExisting(join(dataFolder, 'postmaster.pid'))
  if (file === null) return null
  try {
    const { mtimeNs } = await file.stat({ bigint: true })
    const lines = (await file.readFile('utf8')).split('\n')
    return {
      pid: Number(lines[0]),
      socketFolder: lines[4]?.trim() ?? '',
      ready: lines[7]?.trim() === 'ready',
      writtenAt: mtimeNs,
    }
  } finally {
    await file.close()
  }
}

async function openExisting(path: string): Promise<FileHandle | null> {
  try {
    return await open(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/**
 * Makes sure that nobody uses the folder.
 *
 * @throws {DatabaseStartError} Another Bellwire, or a PostgreSQL of somebody else, is at work on it.
 */
export async function clearLeftovers(dataFolder: string, log: DatabaseLogger): Promise<void> {
  const lock = await readLockFile(dataFolder)
  if (lock === null) return
  const facts = await processFacts(lock.pid)

  if (facts === null || !servesFolder(facts.command, dataFolder)) {
    // Every container counts its processes anew, so a server in another one may have any number here.
    if (await answers(lock.socketFolder)) throw inUse(dataFolder, 'perhaps in another container')
    // PostgreSQL would take the program that has the number by now for a server.
    if (facts !== null) await removeLocks(dataFolder, lock)
    return
  }

  const owner = ownerOf(facts.command)
  if (owner === null) {
    throw new DatabaseStartError(
      `Cannot use the data folder "${dataFolder}": PostgreSQL runs on it (process ${lock.pid}), and Bellwire did not start it`,
    )
  }
  if (await isRunning(owner)) throw inUse(dataFolder, `process ${Number.parseInt(owner, 10)}`)
  log.info({ postgresPid: lock.pid }, 'Stopping the PostgreSQL that a killed Bellwire left behind')
  await stopLeftover(lock.pid, facts.tag)
}

/** The number stands beside the socket too; the file in the data folder goes last, as it names the other. */
async function removeLocks(dataFolder: string, { socketFolder }: LockFile): Promise<void> {
  if (socketFolder !== '') {
    await rm(join(socketFolder, `.s.PGSQL.${SOCKET_PORT}.lock`), { force: true })
  }
  await rm(join(dataFolder, 'postmaster.pid'), { force: true })
}

async function stopLeftover(pid: number, tag: string): Promise<void> {
  kill(pid, 'SIGINT')
  if (await waitUntilGone(tag, FAST_STOP_MS)) return
  kill(pid, 'SIGQUIT')
  if (await waitUntilGone(tag, IMMEDIATE_STOP_MS)) return
  throw new DatabaseStartError(
    `Cannot stop the PostgreSQL that an earlier Bellwire left behind: process ${pid} does not end`,
  )
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // ESRCH: it ended by itself meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** A server in another container has no process number here, but its socket is in the shared folder. */
function answers(socketFolder: string): Promise<boolean> {
  if (socketFolder === '') return Promise.resolve(false)
  return new Promise((resolve) => {
    const socket = connect(join(socketFolder, `.s.PGSQL.${SOCKET_PORT}`))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function inUse(dataFolder: string, who: string): DatabaseStartError {
  return new DatabaseStartError(
    `Cannot use the data folder "${dataFolder}": another Bellwire is running on it (${who}). Stop that one, or give this one its own GOTIFY_DATADIR`,
  )
}
