/**
 * A sender of messages that nobody has sent before, to one user by way of any host, one after the other. With a key it
 * sends each again until it is acknowledged, now and then twice at once; without a key it sends each once.
 */
import type { SeededRandom } from '@bellwire/common/seeded-random'
import http from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { nowUs, sleep } from '../../wire/clock.ts'
import type { Attempt, History, Publish } from '../check/history.ts'
import { digestOf } from './digest.ts'

const LONGEST_PAUSE_MS = 60
const LONGEST_RETRY_MS = 300
/** Longer than a server may take. */
const PATIENCE_MS = 60_000
const TWICE_AT_ONCE = 0.1
const RETRIED = [0, 503]

export interface PublisherOptions {
  /** In every message and key, so that no two publishers send the same. */
  readonly name: string
  readonly user: number
  readonly token: string
  readonly withKey: boolean
  /** Bytes of the longest message. */
  readonly longest: number
  readonly ports: readonly number[]
  readonly random: SeededRandom
  readonly history: Pick<History, 'publishes'>
}

export class ProvePublisher {
  readonly #options: PublisherOptions
  readonly #agent = new http.Agent({ keepAlive: true })
  #count = 0
  #stopping = false
  #quitting = false
  /** Messages that wait for an answer, or to be tried again. */
  #underWay = 0

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  get isBusy(): boolean {
    return this.#underWay > 0
  }

  /** Sends one message after the other. */
  start(): void {
    void this.#run()
  }

  /** The message under way is the last one. */
  stop(): void {
    this.#stopping = true
  }

  /** Stops, whatever the message under way has got so far. */
  quit(): void {
    this.#stopping = true
    this.#quitting = true
    this.#agent.destroy()
  }

  /** One message more. */
  publishOne(): void {
    void this.#sendOne()
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const wentThrough = await this.#sendOne()
      const longest = wentThrough ? LONGEST_PAUSE_MS : LONGEST_RETRY_MS
      await sleep(this.#options.random.next() * longest)
    }
  }

  /** As often as it takes where there is a key. @returns whether the last attempt was acknowledged */
  async #sendOne(): Promise<boolean> {
    const { name, user, withKey, longest, random, history } = this.#options
    const number = ++this.#count
    const message = `${name}.${number} ${'x'.repeat(random.below(longest))}`
    const key = withKey ? `${name}.${number}` : null
    const publish: Publish = { user, key, digest: digestOf(message), attempts: [] }
    history.publishes.push(publish)
    this.#underWay++
    for (let again = true; again && !this.#quitting;) {
      const copies = withKey && random.chance(TWICE_AT_ONCE) ? 2 : 1
      await Promise.all(Array.from({ length: copies }, () => this.#attempt(publish, message)))
      const last = publish.attempts.at(-1)?.status ?? 0
      again = withKey && RETRIED.includes(last)
      if (again) await sleep(random.next() * LONGEST_RETRY_MS)
    }
    this.#underWay--
    return publish.attempts.at(-1)?.status === 200
  }

  async #attempt(publish: Publish, message: string): Promise<void> {
    const { ports, random } = this.#options
    const host = random.below(ports.length)
    const sentAt = nowUs() / 1000
    const answer = await this.#post(ports[host] ?? 0, publish.key, message)
    publish.attempts.push({ host, sentAt, endedAt: nowUs() / 1000, ...answer })
  }

  async #post(
    port: number,
    key: string | null,
    message: string,
  ): Promise<Pick<Attempt, 'status' | 'id' | 'text'>> {
    const request = http.request({
      port,
      host: '127.0.0.1',
      path: '/message',
      method: 'POST',
      agent: this.#agent,
      timeout: PATIENCE_MS,
      headers: {
        'x-gotify-key': this.#options.token,
        'content-type': 'application/json',
        ...(key !== null && { 'idempotency-key': key }),
      },
    })
    request.on('timeout', () => request.destroy())
    try {
      const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
        request.once('response', resolve)
        request.on('error', reject)
      })
      request.end(JSON.stringify({ message }))
      const response = await answered
      const text = await readText(response)
      const status = response.statusCode ?? 0
      if (status !== 200) return { status, id: 0, text: '' }
      return { status, id: (JSON.parse(text) as { id: number }).id, text: digestOf(text) }
    } catch {
      // The connection broke, before or in the middle of the answer.
      return { status: 0, id: 0, text: '' }
    }
  }
}
