/** Opens a file to be read, and only a file. Any thread. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/**
 * Null for what has the name but no content of its own, such as a folder; the caller closes the
 * handle. A FIFO, which keeps whoever opens it waiting for a writer, keeps nobody here.
 * @throws the error of open(), ENOENT above all
 */
export async function openFile(name: string): Promise<FileHandle | null> {
  const handle = await open(name, constants.O_RDONLY | constants.O_NONBLOCK)
  const isFile = await handle.stat().then(
    (found) => found.isFile(),
    () => false,
  )
  if (isFile) return handle
  await handle.close()
  return null
}
