/**
 * Filled databases, one a kind of server, made once a run and copied for every start.
 */
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { fillServer, type Tokens } from './fill.ts'
import { startServer, type RunningServer } from './server-process.ts'
import { WORK_DIR } from './paths.ts'
import type { Variant } from './variant.ts'

const run = promisify(execFile)

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
  async start(variant: Variant): Promise<{ server: RunningServer; tokens: Tokens }> {
    const tokens = await this.#fill(variant)
    const workDir = `${WORK_DIR}/${process.pid}-${this.#copies++}`
    if (variant.kind !== 'remote') {
      await run('cp', ['-a', this.#templateDir(variant), workDir])
    }
    const server = await startServer(variant, workDir, `${this.#logDir}/${variant.name}.log`)
    const stop = async (): Promise<void> => {
      await server.stop()
      rmSync(workDir, { recursive: true, force: true })
    }
    return { server: { ...server, stop }, tokens }
  }

  removeAll(): void {
    for (const kind of this.#tokens.keys()) {
      rmSync(`${WORK_DIR}/${process.pid}-${kind}`, { recursive: true, force: true })
    }
  }

  async #fill(variant: Variant): Promise<Tokens> {
    const key = variant.kind === 'remote' ? variant.name : variant.kind
    const known = this.#tokens.get(key)
    if (known !== undefined) return known
    const server = await startServer(
      variant,
      this.#templateDir(variant),
      `${this.#logDir}/fill-${key}.log`,
    )
    try {
      const tokens = await fillServer(server.target, this.#users, this.#prefix)
      this.#tokens.set(key, tokens)
      return tokens
    } finally {
      await server.stop()
    }
  }

  #templateDir(variant: Variant): string {
    return `${WORK_DIR}/${process.pid}-${variant.kind}`
  }
}
