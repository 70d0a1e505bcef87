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
   * Loopback source addresses of its own. Ports are counted for each address, so agents never take them from each
   * other, nor from the closed sockets (TIME_WAIT) of agents that ended; and while few of an address's ports are taken,
   * the kernel finds a free one at once.
   */
  readonly localAddresses = [1, 2, 3, 4].map(
    (last) => `127.${1 + ((agents >> 8) & 127)}.${agents & 255}.${last}`,
  )

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
    const result = new Promise<Results[K]>((resolve, reject) => {
      const onExit = (): void => reject(new Error(`Agent ended during "${command.kind}"`))
      this.#process.once('exit', onExit)
      this.#process.once('message', (reply: Reply) => {
        this.#process.off('exit', onExit)
        if ('error' in reply) reject(new Error(reply.error))
        else resolve(reply.result as Results[K])
      })
      // Without the callback, sending to an agent that has ended would end the coordinator too.
      this.#process.send(command, (error) => {
        if (error !== null) reject(error)
      })
    })
    // A scenario may look at the result later than the agent ends; that is no reason to end the coordinator.
    result.catch(() => undefined)
    return result
  }

  /** Ends the process and waits for its end. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    await exited
  }
}
