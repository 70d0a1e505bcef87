/**
 * The coordinator's end of one agent: starts the process, sends one command at a time and waits for its result.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Command, CommandKind, Reply, Results } from './commands.ts'

let agents = 0

export class AgentHandle {
  readonly #process: ChildProcess
  /**
   * A loopback source address of its own, one of 32,000: ports are counted for each source address, so agents
   * never take them from each other, nor from the closed sockets (TIME_WAIT) of agents that ended.
   */
  readonly localAddress = `127.${1 + ((agents >> 8) & 127)}.${agents & 255}.1`

  constructor() {
    agents += 1
    this.#process = fork(new URL('./agent.js', import.meta.url), {
      execArgv: ['--max-old-space-size=4096'],
      serialization: 'advanced',
    })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /**
   * Has `command` carried out. Commands of one agent must not overlap: whoever publishes and reads at the same
   * time uses two agents.
   * @throws {Error} when the agent refuses or dies first
   */
  send<K extends CommandKind>(command: Extract<Command, { kind: K }>): Promise<Results[K]> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error(`Agent ended during "${command.kind}"`))
      this.#process.once('exit', onExit)
      this.#process.once('message', (reply: Reply) => {
        this.#process.off('exit', onExit)
        if ('error' in reply) reject(new Error(reply.error))
        else resolve(reply.result as Results[K])
      })
      this.#process.send(command)
    })
  }

  /** Ends the process and waits for its end. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    await exited
  }
}
