/** The file of a listening unix socket: making room for it, and removing it afterwards. Gateway thread; start and stop. */
import { access, constants, lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { StartError } from './start-error.ts'

/** sockaddr_un holds 108 bytes with the final NUL. */
const MAX_PATH_BYTES = 107

/**
 * Removes what a dead server left at the path, so that listening can succeed.
 * @param setting its name in brackets, for the error
 * @throws {StartError} if somebody listens there, or the path can hold no socket
 */
export async function prepareUnixSocket(path: string, setting = ''): Promise<void> {
  const shown = `unix:${path}${setting}`
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new StartError(`Cannot listen on ${shown}: a path has at most ${MAX_PATH_BYTES} bytes`)
  }
  try {
    await access(dirname(path), constants.W_OK | constants.X_OK)
    const file = await inode(path)
    if (file === null) return
    if (!file.isSocket) {
      throw new StartError(`Cannot listen on ${shown}: a file that is no socket is in the way`)
    }
    if (await answers(path)) {
      throw new StartError(`Cannot listen on ${shown}: another process listens there`)
    }
    await unlink(path)
  } catch (error) {
    if (error instanceof StartError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartError(`Cannot listen on ${shown}: ${reason}`, { cause: error })
  }
}

/** Number of the file at the path, to tell later whether it is still ours. */
export async function inode(path: string): Promise<{ id: number; isSocket: boolean } | null> {
  try {
    const stats = await lstat(path)
    return { id: stats.ino, isSocket: stats.isSocket() }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** Removes the file, unless a newer server has put its own in its place. */
export async function removeUnixSocket(path: string, id: number): Promise<void> {
  const file = await inode(path)
  if (file?.id === id) await unlink(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
