/**
 * A device that wants every message: it records what comes, and when its stream ends opens the next one at any host,
 * with `after=` where it has been told to go on. Faults can stop its reading or take its network away.
 */
import type { SeededRandom } from '@bellwire/common/seeded-random'
import { nowUs, sleep } from '../../wire/clock.ts'
import type { History, Stream } from '../check/history.ts'
import { readMessage } from './digest.ts'
import { StreamClient } from './stream-client.ts'

const LONGEST_PAUSE_MS = 300

export interface SubscriberOptions {
  readonly number: number
  readonly user: number
  readonly token: string
  /** Where its first stream begins; null: with what comes from then on. */
  readonly after: number | null
  /** True: it goes on behind the last message it has. False: each stream begins with "now", as with Gotify. */
  readonly resumes: boolean
  readonly ports: readonly number[]
  readonly random: SeededRandom
  readonly history: Pick<History, 'subscribers' | 'streams' | 'refusals'>
}

export class ProveSubscriber {
  readonly #options: SubscriberOptions
  readonly #abandoned: StreamClient[] = []
  #client: StreamClient | null = null
  #stream: Stream | null = null
  #cursor: number | null
  #quitting = false

  constructor(options: SubscriberOptions) {
    this.#options = options
    this.#cursor = options.after
    options.history.subscribers.push(options.number)
    void this.#run()
  }

  get number(): number {
    return this.#options.number
  }

  get user(): number {
    return this.#options.user
  }

  get isOpen(): boolean {
    return this.#stream !== null
  }

  /** Id of the newest message on its open stream, 0 where there is none. */
  get lastId(): number {
    return this.#stream?.frames.at(-1)?.id ?? 0
  }

  /** @returns false when it has no stream */
  cut(): boolean {
    this.#client?.destroy()
    return this.isOpen
  }

  /** Reads nothing for a while. @returns false when it has no stream */
  pause(lastsMs: number): boolean {
    const client = this.#client
    if (client === null || !this.isOpen) return false
    client.pause()
    setTimeout(() => client.resume(), lastsMs)
    return true
  }

  /** Forgets its stream without closing it, never reads from it again, and opens another. @returns false without one */
  abandon(): boolean {
    const client = this.#client
    if (client === null || !this.isOpen) return false
    client.pause()
    this.#abandoned.push(client)
    this.#abandon()
    return true
  }

  /** What comes later on its stream is not judged any more. */
  hold(): void {
    if (this.#stream !== null) this.#stream.held = true
  }

  quit(): void {
    this.#quitting = true
    for (const client of this.#abandoned) client.destroy()
    this.#client?.destroy()
  }

  #abandon: () => void = () => undefined

  async #run(): Promise<void> {
    const { random } = this.#options
    while (!this.#quitting) {
      await this.#oneStream()
      await sleep(random.next() * LONGEST_PAUSE_MS)
    }
  }

  async #oneStream(): Promise<void> {
    const { number, user, token, ports, random, history, resumes } = this.#options
    const host = random.below(ports.length)
    const after = this.#cursor
    const askedAt = nowUs() / 1000
    let stream: Stream | null = null
    const client = new StreamClient(ports[host] ?? 0, token, after, {
      opened: () => {
        const times = { askedAt, openedAt: nowUs() / 1000 }
        stream = { subscriber: number, user, host, after, ...times, frames: [], held: false }
        history.streams.push(stream)
        this.#stream = stream
      },
      text: (text) => {
        // What comes out of a stream that was left behind is nobody's any more.
        if (stream === null || client !== this.#client) return
        const frame = readMessage(text)
        stream.frames.push(frame)
        if (resumes) this.#cursor = frame.id
      },
    })
    this.#client = client
    const abandoned = new Promise<number>((resolve) => (this.#abandon = () => resolve(101)))
    const status = await Promise.race([client.ended, abandoned])
    this.#client = null
    this.#stream = null
    if (status === 101) return
    // Also one that has waited until the end: how long is for the checker to judge.
    const endedAt = nowUs() / 1000
    history.refusals.push({ subscriber: number, host, after, askedAt, endedAt, status })
  }
}
