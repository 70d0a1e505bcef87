/** One member as the primary sees it: its process, from the fork to the end. Main thread of the primary. */
import { type ChildProcess, fork } from 'node:child_process'
import { MEMBER_ARGUMENT, type FromMember, type ToMember } from './ipc.ts'

/** A member that has not ended by then is killed: before the primary's own time is up. */
const STOP_MS = 21_000

export interface MemberOptions {
  /** The program file (main.js). */
  readonly program: string
  /** Shown in its log lines. */
  readonly number: number
  readonly start: Extract<ToMember, { kind: 'start' }>
  readonly onMessage: (message: FromMember) => void
}

export interface MemberEnd {
  readonly hadListened: boolean
  /** Why, as far as it is known. */
  readonly reason: string
}

export class Member {
  readonly #child: ChildProcess
  readonly #onMessage: (message: FromMember) => void
  /** Settles with its end, however it comes. */
  readonly ended: Promise<MemberEnd>
  /** Where it listens; rejects when it ends before that. */
  readonly listening: Promise<string>
  #hasListened = false
  #reason: string | null = null

  constructor({ program, number, start, onMessage }: MemberOptions) {
    this.#onMessage = onMessage
    this.#child = fork(program, [MEMBER_ARGUMENT, String(number)])
    this.ended = this.#end()
    this.listening = new Promise((resolve, reject) => {
      void this.ended.then(({ reason }) => reject(new Error(reason)))
      this.#child.on('message', (message: FromMember) => {
        if (message.kind === 'listening') {
          this.#hasListened = true
          resolve(message.address)
        } else if (message.kind === 'failed') {
          this.#reason = message.reason
        } else {
          this.#onMessage(message)
        }
      })
    })
    // Whoever doesn't wait for it hears of its death by `ended`.
    this.listening.catch(() => undefined)
    this.send(start)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get hasListened(): boolean {
    return this.#hasListened
  }

  /** A member that is just ending hears nothing; its end is told by `ended`. */
  send(message: ToMember): void {
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  /** Lets it finish; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.send({ kind: 'stop' })
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
    await this.ended
    clearTimeout(late)
  }

  async #end(): Promise<MemberEnd> {
    const how = await new Promise<string>((resolve) => {
      // A fork that fails tells by 'error' and never by 'exit'.
      this.#child.once('error', (error) => resolve(error.message))
      this.#child.once('exit', (code, signal) => {
        resolve(signal === null ? `it ended with status ${code}` : `it was ended by ${signal}`)
      })
    })
    return { hadListened: this.#hasListened, reason: this.#reason ?? how }
  }
}
