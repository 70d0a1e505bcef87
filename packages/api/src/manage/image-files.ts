/**
 * The folder of uploaded application images. Main thread, asynchronous file calls. Names are made
 * here and never taken from a request, so no path leads out of the folder.
 */
import { randomInt, randomUUID } from 'node:crypto'
import { lstat, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { makeFolder } from '../make-folder.ts'
import { openFile } from '../open-file.ts'

/** Of an image, whether it is uploaded or comes with an import: it is read as a whole. */
export const MAX_IMAGE_BYTES = 32 * 1024 * 1024

const NAME_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const NAME_LENGTH = 25
/** Gotify's names, and those of a folder that was taken over from it. */
const STORED_NAME = /^[A-Za-z0-9_-]{1,100}\.[A-Za-z]{1,5}$/

/** False for everything that could lead out of the folder. */
export function isImageName(name: string): boolean {
  return STORED_NAME.test(name)
}

export class ImageFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Stores the content under a new name, whole or not at all, and returns the name. */
  async save(content: Uint8Array, extension: string): Promise<string> {
    const letters = Array.from({ length: NAME_LENGTH }, () => NAME_LETTERS[randomInt(64)])
    const name = letters.join('') + extension
    await this.#store(name, content)
    return name
  }

  /** Stores an image under the name that it has elsewhere; false: something has it already. */
  async add(name: string, content: Uint8Array): Promise<boolean> {
    if (!isImageName(name) || (await exists(path.join(this.#folder, name)))) return false
    await this.#store(name, content)
    return true
  }

  async #store(name: string, content: Uint8Array): Promise<void> {
    await makeFolder(this.#folder)
    const unfinished = path.join(this.#folder, `.${randomUUID()}.upload`)
    try {
      await writeDurably(unfinished, content)
      await rename(unfinished, path.join(this.#folder, name))
    } catch (error) {
      await rm(unfinished, { force: true })
      throw error
    }
  }

  /** Returns the content, or null if there is no such image. */
  async read(name: string): Promise<Buffer | null> {
    if (!isImageName(name)) return null
    try {
      const file = await openFile(path.join(this.#folder, name))
      return file === null ? null : await file.readFile().finally(() => file.close())
    } catch (error) {
      if (isNoFile(error)) return null
      throw error
    }
  }

  /** Removes an image; one that is gone already is no error, and a folder of the name stays. */
  async remove(name: string): Promise<void> {
    if (!isImageName(name)) return
    try {
      await rm(path.join(this.#folder, name))
    } catch (error) {
      if (!isNoFile(error)) throw error
    }
  }
}

async function writeDurably(file: string, content: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx')
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Also something that is no file and has no content, such as a link that leads nowhere. */
async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file)
    return true
  } catch (error) {
    if (isNoFile(error)) return false
    throw error
  }
}

/**
 * Nothing has the name, or something that somebody made by hand: a folder (ERR_FS_EISDIR is rm()'s
 * word for it), a socket (ENXIO).
 */
const NO_FILE: readonly unknown[] = ['ENOENT', 'EISDIR', 'ERR_FS_EISDIR', 'ENXIO']

function isNoFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NO_FILE.includes(error.code)
}
