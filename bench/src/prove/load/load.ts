/** All senders and subscribers of a proof: some with keys and some without, some that resume and some that begin anew. */
import type { Tokens } from '../../server/fill.ts'
import type { History } from '../check/history.ts'
import { Random } from '../random.ts'
import { ProvePublisher } from './publisher.ts'
import { ProveSubscriber } from './subscriber.ts'

/** User 0 gets messages so long that a subscriber which stops reading is soon behind. */
const LONGEST = [48_000, 300]

export interface LoadOptions {
  readonly tokens: Tokens
  readonly ports: readonly number[]
  readonly random: Random
  readonly history: History
}

export class Load {
  readonly publishers: readonly ProvePublisher[]
  readonly subscribers: readonly ProveSubscriber[]
  /** Users by number, each with a sender that uses keys. */
  readonly #keyed: readonly ProvePublisher[]
  readonly #history: History

  constructor({ tokens, ports, random, history }: LoadOptions) {
    this.#history = history
    const publisherOf = (user: number, withKey: boolean): ProvePublisher =>
      new ProvePublisher({
        name: `${user}${withKey ? 'k' : 'p'}`,
        longest: LONGEST[Math.min(user, 1)] ?? 0,
        token: tokens.applications[user] ?? '',
        random: new Random(random.below(2 ** 31)),
        ...{ user, withKey, ports, history },
      })
    const users = tokens.applications.map((_, user) => user)
    this.#keyed = users.map((user) => publisherOf(user, true))
    this.publishers = [...this.#keyed, ...users.map((user) => publisherOf(user, false))]
    this.subscribers = users.flatMap((user) =>
      SUBSCRIBERS.map(
        (kind, index) =>
          new ProveSubscriber({
            number: user * SUBSCRIBERS.length + index,
            token: tokens.clients[user] ?? '',
            random: new Random(random.below(2 ** 31)),
            ...{ user, ports, history },
            ...kind,
          }),
      ),
    )
    for (const publisher of this.publishers) publisher.start()
  }

  /** Resolves when every message has its answer. */
  async stopPublishing(): Promise<void> {
    await Promise.all(this.publishers.map((publisher) => publisher.stop()))
  }

  isConnected(): boolean {
    return this.subscribers.every(({ isOpen }) => isOpen)
  }

  async publishLast(): Promise<void> {
    await Promise.all(this.#keyed.map((publisher) => publisher.sendOne()))
  }

  /** The greatest id that each user was told of. */
  heads(): ReadonlyMap<number, number> {
    const heads = new Map<number, number>()
    for (const { user, attempts } of this.#history.publishes) {
      const ids = attempts.map(({ id }) => id)
      heads.set(user, Math.max(heads.get(user) ?? 0, ...ids))
    }
    return heads
  }

  hasReached(heads: ReadonlyMap<number, number>): boolean {
    return this.subscribers.every(({ user, lastId }) => lastId >= (heads.get(user) ?? 0))
  }

  /** Ends the subscribers, whose streams are judged as they are. */
  async stop(): Promise<void> {
    await Promise.all(this.subscribers.map((subscriber) => subscriber.stop()))
  }
}

/** Of each user: one that wants everything, one that resumes from now on, one as with Gotify. */
const SUBSCRIBERS = [
  { after: 0, resumes: true },
  { after: null, resumes: true },
  { after: null, resumes: false },
]
