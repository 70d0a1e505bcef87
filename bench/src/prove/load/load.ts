/** All senders and subscribers of a proof: some with keys and some without, some that resume and some that begin anew. */
import { SeededRandom } from '@bellwire/common/seeded-random'
import type { Tokens } from '../../server/fill.ts'
import type { History } from '../check/history.ts'
import { ProvePublisher } from './publisher.ts'
import { ProveSubscriber } from './subscriber.ts'

/** User 0 gets messages so long that a subscriber which stops reading is soon behind. */
const LONGEST = [48_000, 300]

export interface LoadOptions {
  readonly tokens: Tokens
  readonly ports: readonly number[]
  readonly random: SeededRandom
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
        random: new SeededRandom(random.below(2 ** 31)),
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
            random: new SeededRandom(random.below(2 ** 31)),
            ...{ user, ports, history },
            ...kind,
          }),
      ),
    )
    for (const publisher of this.publishers) publisher.start()
  }

  /** Nothing new is sent; what has been is brought to its end. */
  stopPublishing(): void {
    for (const publisher of this.publishers) publisher.stop()
  }

  /** Every message that was sent has its last answer. */
  get isAnswered(): boolean {
    return this.publishers.every(({ isBusy }) => !isBusy)
  }

  /** Numbers of the subscribers that have no stream at the moment. */
  absentees(): number[] {
    return this.subscribers.flatMap(({ number, isOpen }) => (isOpen ? [] : [number]))
  }

  /** Sends one message to every user, with a key. */
  publishLast(): void {
    for (const publisher of this.#keyed) publisher.publishOne()
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

  /** Marks the streams that are open now as those that must have brought everything. */
  holdStreams(): void {
    for (const subscriber of this.subscribers) subscriber.hold()
  }

  /** Nothing is sent any more, not even again; what has no answer gets none. */
  quitPublishing(): void {
    for (const publisher of this.publishers) publisher.quit()
  }

  /** Ends everything, whatever it waits for. */
  quit(): void {
    for (const party of [...this.publishers, ...this.subscribers]) party.quit()
  }
}

/** Of each user: one that wants everything, one that resumes from now on, one as with Gotify. */
const SUBSCRIBERS = [
  { after: 0, resumes: true },
  { after: null, resumes: true },
  { after: null, resumes: false },
]
