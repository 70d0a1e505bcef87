/**
 * A file system in memory that is small enough to be filled, for the files of PostgreSQL. Root on Linux alone may make
 * one; elsewhere the folder is an ordinary one and this fault is left out.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'

const SIZE = '512m'
const STEP_BYTES = 4 * 1024 * 1024
/** What is left is less than PostgreSQL can use. */
const LEAST_BYTES = 4 * 1024

export class SmallDisk {
  readonly folder: string
  readonly canBeFilled: boolean
  #isFull = false

  constructor(folder: string) {
    this.folder = folder
    mkdirSync(folder, { recursive: true })
    this.canBeFilled =
      process.getuid?.() === 0 &&
      succeeds('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'bellwire-prove', folder])
  }

  /** Takes what is left, to the last page. @returns false when it is full already */
  async fill(): Promise<boolean> {
    if (this.#isFull) return false
    this.#isFull = true
    const ballast = await open(this.#ballast, 'a')
    try {
      for (let bytes = STEP_BYTES; bytes >= LEAST_BYTES;) {
        const written = await ballast.write(Buffer.alloc(bytes)).catch(isFull)
        if (written === null) bytes = Math.floor(bytes / 4)
      }
    } finally {
      await ballast.close()
    }
    return true
  }

  async free(): Promise<void> {
    await rm(this.#ballast, { force: true })
    this.#isFull = false
  }

  remove(): void {
    // Lazily: an interrupted proof may be filling it.
    if (this.canBeFilled) succeeds('umount', ['--lazy', this.folder])
  }

  get #ballast(): string {
    return `${this.folder}/ballast`
  }
}

function isFull(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return null
  throw error
}

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
