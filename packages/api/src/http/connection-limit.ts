/**
 * Counts TCP connections against the limit of open files. Gateway thread. At that limit the accept
 * loop of uWebSockets.js would spin at full load, so it must never be reached: from `max` on new
 * work is answered 503, and above a small overdraft connections are closed as they come in.
 */
import { readFileSync } from 'node:fs'

const RESERVED_FILES = 512
const UNKNOWN_LIMIT = 1024

export class ConnectionLimit {
  readonly #max: number
  readonly #overdraft: number
  #open = 0

  /** @param max connections, default: what the limit of open files allows */
  constructor(max: number = maxConnections(openFilesLimit())) {
    this.#max = max
    this.#overdraft = Math.max(1, Math.min(RESERVED_FILES / 2, Math.floor(max / 4)))
  }

  get open(): number {
    return this.#open
  }

  /** True: refuse what would stay, and end the connection that asks. */
  get full(): boolean {
    return this.#open > this.#max
  }

  /** Counts a new connection; false if it must be closed at once. */
  opened(): boolean {
    this.#open++
    return this.#open <= this.#max + this.#overdraft
  }

  closed(): void {
    this.#open--
  }
}

/** Leaves files for the database, the images, the libraries and the overdraft. */
export function maxConnections(openFiles: number): number {
  return openFiles - Math.min(RESERVED_FILES, Math.floor(openFiles / 4))
}

/** Soft limit of open files of this process. */
function openFilesLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
    return soft === undefined ? UNKNOWN_LIMIT : Number(soft)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return UNKNOWN_LIMIT
    throw error
  }
}
