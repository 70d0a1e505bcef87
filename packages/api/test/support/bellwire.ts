/**
 * A real Bellwire for a test: the program in a process of its own, on a port that the system picks
 * and a data folder that is gone at the end. It can be stopped, killed and started again on the
 * same folder.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The program. */
export const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))
const LISTENS = '"msg":"Bellwire listens"'
const START_LIMIT_MS = 90_000
const LOG_LINES = 200

/** The part of a tap test that is needed. */
export interface Teardown {
  teardown(action: () => Promise<void>): void
}

export type Environment = Readonly<Record<string, string>>

/** How a process ended: its exit status, or the name of the signal. */
export type Ending = number | NodeJS.Signals

/** The settings that a test's Bellwire runs with, over none of the caller's own. */
function environment(dataDir: string, env: Environment): NodeJS.ProcessEnv {
  const { PATH = '', HOME = '' } = process.env
  return {
    PATH,
    HOME,
    GOTIFY_DATADIR: dataDir,
    GOTIFY_SERVER_LISTENADDR: '127.0.0.1',
    GOTIFY_SERVER_PORT: '0',
    GOTIFY_PASSSTRENGTH: '4',
    ...env,
  }
}

/** Runs the program until it ends by itself, as a start that fails does. */
export async function runToEnd(
  t: Teardown,
  env: Environment,
): Promise<{ readonly ending: Ending; readonly stdout: string; readonly stderr: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'bellwire-test-'))
  const child = spawn(process.execPath, [MAIN], {
    env: environment(dataDir, env),
    cwd: dataDir,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await rm(dataDir, { recursive: true, force: true })
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ending = await endOf(child)
  return { ending, stdout, stderr }
}

/** How a test's Bellwire is started, where that matters. */
export interface StartOptions {
  /** The file to run. @default the program itself */
  readonly program?: string
  /** Files that it may have open. @default what the test itself may */
  readonly openFiles?: number
}

export async function startBellwire(
  t: Teardown,
  env: Environment = {},
  options: StartOptions = {},
): Promise<Bellwire> {
  const dataDir = await mkdtemp(join(tmpdir(), 'bellwire-test-'))
  const bellwire = new Bellwire(dataDir, env, options)
  t.teardown(() => bellwire.remove())
  await bellwire.start()
  return bellwire
}

export class Bellwire {
  readonly dataDir: string
  readonly #env: Environment
  readonly #program: string
  readonly #openFiles: string
  #child: ChildProcess | null = null
  #ending: Promise<Ending> = Promise.resolve(0)
  #port = 0
  #logs: string[] = []

  constructor(dataDir: string, env: Environment, { program, openFiles }: StartOptions = {}) {
    this.dataDir = dataDir
    this.#env = env
    this.#program = program ?? MAIN
    this.#openFiles = openFiles === undefined ? '' : `ulimit -n ${openFiles} && `
  }

  get port(): number {
    return this.#port
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** The newest lines of the log, and what else the program printed. */
  get logs(): readonly string[] {
    return this.#logs
  }

  /** Settles when the process has ended. */
  get ending(): Promise<Ending> {
    return this.#ending
  }

  /** Starts the program, also again on the same folder; resolves when it listens. */
  async start(): Promise<void> {
    const run = `${this.#openFiles}exec "$0" "$1"`
    const child = spawn('/bin/sh', ['-c', run, process.execPath, this.#program], {
      env: environment(this.dataDir, this.#env),
      cwd: this.dataDir,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#ending = endOf(child)
    await new Promise<void>((resolve, reject) => {
      const fail = (what: string): void =>
        reject(new Error(`Bellwire ${what}:\n${this.#logs.slice(-5).join('\n')}`))
      const patience = setTimeout(() => fail('did not listen in time'), START_LIMIT_MS)
      const onLine = (line: string): void => {
        this.#logs.push(line)
        if (this.#logs.length > LOG_LINES) this.#logs.shift()
        if (!line.includes(LISTENS)) return
        const { address } = JSON.parse(line) as { address: string }
        this.#port = Number(address.slice(address.lastIndexOf(':') + 1))
        resolve()
      }
      readLines(child.stdout, onLine)
      readLines(child.stderr, onLine)
      void this.#ending.then((ending) => {
        clearTimeout(patience)
        fail(`ended with ${ending} before it listened`)
      })
    })
  }

  /** Asks it to stop, as a service manager does. */
  async stop(): Promise<Ending> {
    this.#child?.kill('SIGTERM')
    return this.#ending
  }

  /** Ends the server process alone, without a chance to tidy up; its PostgreSQL goes on. */
  async kill9(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ending
  }

  /** Process number of its PostgreSQL; null when none runs. */
  async postgresPid(): Promise<number | null> {
    const file = join(this.dataDir, 'postgres', 'data', 'postmaster.pid')
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
      throw error
    })
    const pid = Number.parseInt(text, 10)
    return Number.isInteger(pid) && isRunning(pid) ? pid : null
  }

  /** Bytes of memory that the server process holds. */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
  }

  /** Leaves neither a process nor the folder, whatever state the test left them in. */
  async remove(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ending
    const postgres = await this.postgresPid()
    if (postgres !== null) {
      process.kill(postgres, 'SIGQUIT')
      while (isRunning(postgres)) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await rm(this.dataDir, { recursive: true, force: true })
  }
}

/** Process numbers of the children of a process. */
export async function childrenOf(pid: number): Promise<readonly number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return children.split(' ').filter(Boolean).map(Number)
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

async function endOf(child: ChildProcess): Promise<Ending> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return code ?? signal ?? 0
}

function readLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let rest = ''
  stream?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}
