/**
 * Makes folders. In place of Node's own `mkdir` with `recursive`, which tries for ever where the
 * file system has a folder and lets nothing be made in it, as below /proc. Any thread.
 */
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder, and those above it that are missing, with this mode. One that is there stays as it is.
 * @throws {Error} what the system says, with `code`
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdirOnce(path, mode)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path), mode)
    await mkdirOnce(path, mode)
  }
}

async function mkdirOnce(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return
    throw error
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
