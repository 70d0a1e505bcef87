/**
 * One logical shard: the only place that changes the state of its users, so there is no lock.
 * Runs on its worker thread. Before it: the command loop; behind it: group commit, fan-out and the
 * delivery lane.
 */
import {
  encodeMessageTail,
  PushError,
  type Command,
  type CorrelationId,
  type PublishCommand,
  type RevokeCommand,
  type SubscribeCommand,
  type UserId,
} from '@bellwire/common'
import type { CatchUp } from './catch-up.ts'
import { answerPublisher, fanOut, frameOf, frameOfStored } from './fan-out.ts'
import type { GroupCommit } from './group-commit.ts'
import type { HintBus } from './cluster/hint-bus.ts'
import type { HeadReads } from './head-reads.ts'
import type { Outbox } from './outbox.ts'
import type { Retries } from './retries.ts'
import type { PublishChecker } from './publish/publish-checker.ts'
import type { BatchError, MessageStore, NewMessage, Stored } from './store/message-store.ts'
import { UNKNOWN, UserState } from './user-state.ts'

/** What the shards of one thread share. */
export interface ShardTools {
  readonly outbox: Outbox
  readonly groupCommit: GroupCommit
  readonly heads: HeadReads
  readonly catchUp: CatchUp
  readonly checker: PublishChecker
  /** Null where no other process writes. */
  readonly hints: HintBus | null
  readonly retries: Retries
  readonly store: Pick<MessageStore, 'prove'>
}

export class Shard {
  readonly index: number
  readonly #tools: ShardTools
  readonly #users = new Map<UserId, UserState>()
  /** The newest id this shard has heard of, of any user: a cursor above it is looked up. */
  #newest = 0

  constructor(index: number, tools: ShardTools) {
    this.index = index
    this.#tools = tools
  }

  get userCount(): number {
    return this.#users.size
  }

  handle(command: Command): void {
    switch (command.kind) {
      case 'publish':
        return this.#publish(command)
      case 'subscribe':
        return this.#subscribe(command)
      case 'unsubscribe': {
        const user = this.#users.get(command.userId)
        if (user === undefined) return
        user.remove(command.connection)
        this.#forgetIfAlone(command.userId, user)
        return
      }
      case 'catch-up': {
        const user = this.#users.get(command.userId)
        if (user?.has(command.connection) !== true) return
        const { userId, connection, cursor } = command
        this.#tools.catchUp.readPage(this.index, userId, user, connection, cursor)
        return
      }
      case 'revoke':
        return this.#revoke(command)
      case 'hint':
        return this.#heardOf(command.userId, command.messageId)
      case 'canary':
        return this.#prove(command.thread)
    }
  }

  #prove(thread: number): void {
    const { outbox, store } = this.#tools
    const answer = (committed: boolean): void => {
      outbox.write(this.index, { kind: 'canary', thread, committed })
      outbox.ring()
    }
    void store.prove().then(
      () => answer(true),
      () => answer(false),
    )
  }

  isListening(userId: UserId): boolean {
    return this.#users.has(userId)
  }

  /** The users whose connections depend on this shard; the log may hold more of them than was handed on. */
  listeningUsers(): readonly UserId[] {
    return [...this.#users.keys()]
  }

  /** Another process, or a batch whose outcome was lost, may have brought the user to this id. */
  #heardOf(userId: UserId, id: number): void {
    const user = this.#users.get(userId)
    if (user === undefined) return
    if (id > user.highestSeen) user.highestSeen = id
    this.#readIfBehind(userId, user)
  }

  #readIfBehind(userId: UserId, user: UserState): void {
    if (user.lastId === UNKNOWN) return
    if (user.inDoubt || user.highestSeen > user.lastId) {
      this.#tools.catchUp.readUser(this.index, userId, user)
    }
  }

  /** Compares what was handed on with the log, as after a time without database. */
  noticeHead(userId: UserId, head: number): void {
    this.#heardOf(userId, head)
  }

  #publish(command: PublishCommand): void {
    const { correlationId, receivedAt } = command
    const { checker, groupCommit } = this.#tools
    const checked = checker.check(command)
    if (checked instanceof Promise) {
      const release = groupCommit.reserve(command.body.length)
      void checked.finally(release).then(
        (message) => {
          this.#add(correlationId, receivedAt, message)
          groupCommit.flush()
        },
        (error: unknown) => {
          this.#fail(correlationId, error)
          this.#tools.outbox.ring()
        },
      )
    } else if (checked instanceof PushError) {
      this.#fail(correlationId, checked)
    } else {
      this.#add(correlationId, receivedAt, checked)
    }
  }

  #add(correlationId: CorrelationId, receivedAt: number, message: NewMessage): void {
    // Encoded while the batch before this one commits; only the id is missing.
    const tail = encodeMessageTail(message)
    this.#tools.groupCommit.add({
      message,
      receivedAt,
      committed: (stored) => this.#committed(correlationId, message.userId, tail, stored),
      failed: (error) => this.#failed(correlationId, message.userId, error),
    })
  }

  #committed(correlationId: CorrelationId, userId: UserId, tail: string, stored: Stored): void {
    const { outbox } = this.#tools
    if (stored.kind === 'key-reused') {
      const text = 'the idempotency key was used for another message'
      this.#fail(correlationId, new PushError('KEY_REUSED', text))
      return
    }
    if (stored.kind === 'key-freed') {
      const text = 'the first message under the idempotency key was just deleted, try again'
      this.#fail(correlationId, new PushError('DATABASE_UNAVAILABLE', text))
      return
    }
    if (stored.kind === 'repeat') {
      const frame = frameOfStored(stored.first)
      answerPublisher(outbox, this.index, correlationId, stored.first.id, frame)
      return
    }
    const { id, previousId } = stored
    if (id > this.#newest) this.#newest = id
    this.#tools.hints?.tell(userId, id)
    const frame = frameOf(id, tail)
    const user = this.#users.get(userId)
    if (user === undefined) {
      answerPublisher(outbox, this.index, correlationId, id, frame)
    } else if (user.lastId === UNKNOWN || user.reading || isGap(previousId, user.lastId)) {
      answerPublisher(outbox, this.index, correlationId, id, frame)
      this.#heardOf(userId, id)
    } else if (id > user.lastId) {
      fanOut(outbox, this.index, user, correlationId, id, frame)
    } else {
      // Read from the log already: its connections have it.
      answerPublisher(outbox, this.index, correlationId, id, frame)
    }
  }

  #failed(correlationId: CorrelationId, userId: UserId, error: BatchError): void {
    const user = error.outcome === 'unknown' ? this.#users.get(userId) : undefined
    if (user !== undefined) {
      // Before a later row is handed on, the log must say whether this one is in front of it.
      user.inDoubt = true
      this.#readIfBehind(userId, user)
    }
    this.#fail(correlationId, error.answer)
  }

  #fail(correlationId: CorrelationId, error: unknown): void {
    const known = error instanceof PushError
    this.#tools.outbox.write(this.index, {
      kind: 'failure',
      correlationId,
      code: known ? error.code : 'INTERNAL',
      description: known ? error.message : 'unexpected error',
    })
  }

  #subscribe(command: SubscribeCommand): void {
    const { userId, connection, clientId, after } = command
    let user = this.#users.get(userId)
    if (user === undefined) {
      user = new UserState(connection, clientId)
      this.#users.set(userId, user)
    } else {
      user.add(connection, clientId)
    }
    if (user.lastId !== UNKNOWN && (after ?? 0) <= Math.max(this.#newest, user.lastId)) {
      this.#answer(command, user)
      return
    }
    user.markBehind(connection, null)
    this.#lookUpHead(command, user)
  }

  #lookUpHead(command: SubscribeCommand, user: UserState): void {
    const { userId, connection, after, resume } = command
    this.#tools.heads.read(userId).then(
      ({ head, newest }) => {
        if (newest > this.#newest) this.#newest = newest
        if (user.lastId === UNKNOWN) user.lastId = Math.max(head, user.highestSeen)
        this.#heardOf(userId, head)
        if (!user.has(connection)) return
        if (!resume && after !== null && after > newest) {
          const text = `after: ${after} is above the newest id ${newest}`
          this.#refuse(command, user, new PushError('BAD_REQUEST', text))
        } else {
          this.#answer(command, user)
        }
        this.#tools.outbox.ring()
      },
      () => {
        if (!user.has(connection)) return
        if (resume) {
          this.#tools.retries.later(() => this.#lookUpHead(command, user))
          return
        }
        const error = new PushError('DATABASE_UNAVAILABLE', 'the database is not reachable')
        this.#refuse(command, user, error)
        this.#tools.outbox.ring()
      },
    )
  }

  /** From here on the connection is live, or it is behind and asks for its pages. */
  #answer({ connection, after }: SubscribeCommand, user: UserState): void {
    // What was committed but not handed on yet came before now.
    const cursor = after ?? Math.max(user.lastId, user.highestSeen)
    const behind = cursor < user.lastId
    if (behind) user.markBehind(connection, null)
    else user.markLive(connection)
    this.#tools.outbox.write(this.index, { kind: 'subscribed', connection, cursor, behind })
  }

  #refuse({ connection, userId }: SubscribeCommand, user: UserState, error: PushError): void {
    user.remove(connection)
    this.#forgetIfAlone(userId, user)
    const { code, message: description } = error
    this.#tools.outbox.write(this.index, { kind: 'refused', connection, code, description })
  }

  #revoke({ userId, clientId }: RevokeCommand): void {
    const connections = this.#users.get(userId)?.ofClient(clientId) ?? []
    if (connections.length === 0) return
    this.#tools.outbox.write(this.index, { kind: 'close', connections })
  }

  #forgetIfAlone(userId: UserId, user: UserState): void {
    if (user.connections.length === 0 && this.#users.get(userId) === user) {
      this.#users.delete(userId)
    }
  }
}

/** True when another process committed a message of this user that was not handed on here yet. */
function isGap(previousId: number | null, lastId: number): boolean {
  return previousId !== null && previousId > lastId
}
