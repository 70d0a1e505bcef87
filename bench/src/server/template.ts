/**
 * Filled databases, one a kind of server, made once a run and copied for every start.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { fillDatabase } from './fill-database.ts'
import { fillServer, type Tokens } from './fill.ts'
import { startServer, type RunningServer } from './server-process.ts'
import { WORK_DIR } from './paths.ts'
import type { Variant } from './variant.ts'

const run = promisify(execFile)
/** From here on users of our own server are written to its database. */
const MANY_USERS = 2000

export class Templates {
  readonly #users: number
  readonly #logDir: string
  readonly #tokens = new Map<string, Tokens>()
  readonly #prefix = `u${Date.now().toString(36)}-`
  #copies = 0

  constructor(users: number, logDir: string) {
    this.#users = users
    this.#logDir = logDir
  }

  /** Starts `variant` on a fresh copy of its template; `stop()` removes the copy. */
  async start(
    variant: Variant,
    users = this.#users,
  ): Promise<{ server: RunningServer; tokens: Tokens; workDir: string }> {
    const key = `${variant.kind === 'remote' ? variant.name : variant.kind}-${users}`
    const tokens = this.#tokens.get(key) ?? (await this.#fill(variant, key, users))
    this.#tokens.set(key, tokens)
    const workDir = `${WORK_DIR}/${process.pid}-${this.#copies++}`
    if (variant.kind !== 'remote') {
      await run('cp', ['-a', templateDir(key), workDir])
    }
    const server = await startServer(variant, workDir, `${this.#logDir}/${variant.name}.log`)
    const stop = async (): Promise<void> => {
      await server.stop()
      rmSync(workDir, { recursive: true, force: true })
    }
    return { server: { ...server, stop }, tokens, workDir }
  }

  /** Copies included, which a server that failed to start has left. */
  removeAll(): void {
    if (!existsSync(WORK_DIR)) return
    for (const name of readdirSync(WORK_DIR)) {
      if (name.startsWith(`${process.pid}-`)) {
        rmSync(`${WORK_DIR}/${name}`, { recursive: true, force: true })
      }
    }
  }

  async #fill(variant: Variant, key: string, users: number): Promise<Tokens> {
    const place = templateDir(key)
    // A cluster is filled by one process, with the same result.
    const filler = variant.kind === 'bellwire' ? { ...variant, environment: {} } : variant
    const server = await startServer(filler, place, `${this.#logDir}/fill-${key}.log`)
    try {
      return variant.kind === 'bellwire' && users >= MANY_USERS
        ? await fillDatabase(place, users, this.#prefix)
        : await fillServer(server.target, users, this.#prefix)
    } finally {
      await server.stop()
    }
  }
}

function templateDir(key: string): string {
  return `${WORK_DIR}/${process.pid}-${key}`
}
