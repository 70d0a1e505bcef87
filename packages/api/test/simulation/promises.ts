/**
 * The promises of the design, checked on everything that a simulation sends and answers. Told of
 * each event when it happens; knows the log, which is the truth, and nothing of the code's state.
 */
import {
  encodeMessage,
  encodeMessageTail,
  ERROR_TABLE,
  type PushError,
  type UserId,
} from '@bellwire/common'
import type { LogRow, MemoryLog } from './memory-log.ts'

/** A publish as its sender knows it. */
export interface Publish {
  readonly tag: string
  readonly userId: UserId
  readonly key: string
  /** Greatest id that was acknowledged to this user before this was sent. */
  readonly acknowledgedBefore: number
  outcome: 'none' | 'acknowledged' | 'failed'
}

/** What the owner of a socket knows. */
export interface Subscriber {
  readonly name: string
  readonly userId: UserId
  /** Id of the last frame, or the starting point. */
  lastId: number
}

export class Promises {
  readonly #log: MemoryLog
  readonly violations: string[] = []
  /** Greatest id that this process acknowledged, user by user. */
  readonly #acknowledged = new Map<UserId, number>()
  readonly #publishes: Publish[] = []
  frames = 0

  constructor(log: MemoryLog) {
    this.#log = log
  }

  acknowledgedTo(userId: UserId): number {
    return this.#acknowledged.get(userId) ?? 0
  }

  published(tag: string, userId: UserId, key: string): Publish {
    const acknowledgedBefore = this.acknowledgedTo(userId)
    const publish: Publish = { tag, userId, key, acknowledgedBefore, outcome: 'none' }
    this.#publishes.push(publish)
    return publish
  }

  answered(publish: Publish, frame: string): void {
    this.#settle(publish, 'acknowledged')
    const row = this.#rowOf(frame, `answer to ${publish.tag}`)
    if (row === null) return
    if (publish.key === '') {
      this.#demand(tagOf(row.message) === publish.tag, `${publish.tag} got another's answer`)
      const before = publish.acknowledgedBefore
      this.#demand(row.id > before, `${publish.tag} got id ${row.id}, after ${before} was given`)
    } else {
      this.#demand(row.idempotencyKey === publish.key, `${publish.tag} got another key's answer`)
    }
    const known = this.acknowledgedTo(publish.userId)
    this.#acknowledged.set(publish.userId, Math.max(known, row.id))
  }

  failed(publish: Publish, error: PushError): void {
    this.#settle(publish, 'failed')
    const mayBeStored = ERROR_TABLE[error.code].httpStatus === 503
    if (!mayBeStored) this.notStored(publish)
  }

  /** The sender was told that nothing was stored. */
  notStored({ tag }: Publish): void {
    this.#demand(this.#rowsWith(tag).length === 0, `${tag} was refused and is in the log`)
  }

  /** A subscriber is told that it is connected. */
  opened({ name, userId, lastId }: Subscriber, after: number | null, acknowledged: number): void {
    if (after !== null) {
      this.#demand(lastId === after, `${name} asked for after ${after}, started at ${lastId}`)
    } else {
      const late = `${name} starts at ${lastId}, after ids of the future`
      this.#demand(lastId <= this.#log.newest, late)
      const [old] = this.#log.rowsAfter(userId, lastId)
      const early = `${name} starts at ${lastId}, before ${old?.id ?? 0}, acknowledged long ago`
      this.#demand(old === undefined || old.id > acknowledged, early)
    }
  }

  frame(subscriber: Subscriber, text: string): void {
    this.frames++
    const { name, userId, lastId } = subscriber
    const row = this.#rowOf(text, `frame of ${name}`)
    if (row === null) return
    this.#demand(row.userId === userId, `${name} got message ${row.id} of user ${row.userId}`)
    this.#demand(row.id > lastId, `${name} got ${row.id} after ${lastId}`)
    const [missed] = this.#log.rowsAfter(userId, lastId)
    const gap = missed !== undefined && missed.id < row.id
    this.#demand(!gap, `${name} got ${row.id} after ${lastId}, without ${missed?.id ?? 0}`)
    subscriber.lastId = Math.max(lastId, row.id)
  }

  /** After everything has come to rest. */
  atRest(subscribers: Iterable<Subscriber>): void {
    for (const { name, userId, lastId } of subscribers) {
      const missed = this.#log.rowsAfter(userId, lastId).map(({ id }) => id)
      this.#demand(missed.length === 0, `${name} stopped at ${lastId}, without ${missed.join()}`)
    }
    const copies = new Map<string, number>()
    for (const { message } of this.#log.all()) {
      const tag = tagOf(message)
      copies.set(tag, (copies.get(tag) ?? 0) + 1)
    }
    for (const { tag, key, outcome } of this.#publishes) {
      this.#demand(outcome !== 'none', `${tag} was never answered`)
      this.#demand((copies.get(tag) ?? 0) <= 1, `${tag} is in the log more than once`)
      const stored = copies.has(tag)
      if (outcome === 'acknowledged' && key === '') {
        this.#demand(stored, `${tag} was acknowledged and is not in the log`)
      }
    }
  }

  demand(holds: boolean, text: string): void {
    this.#demand(holds, text)
  }

  #settle(publish: Publish, outcome: 'acknowledged' | 'failed'): void {
    this.#demand(publish.outcome === 'none', `${publish.tag} was answered twice`)
    publish.outcome = outcome
  }

  /** The row whose text this is, every character of it. */
  #rowOf(text: string, what: string): LogRow | null {
    const id = Number(/^\{"id":(\d+),/.exec(text)?.[1])
    const row = this.#log.row(id)
    this.#demand(row !== undefined, `${what}: ${id} is not committed`)
    if (row === undefined) return null
    const wanted = `${encodeMessage(row.id, encodeMessageTail(row))}\n`
    this.#demand(text === wanted, `${what}: the text of ${id} is not the log's`)
    return row
  }

  #rowsWith(tag: string): readonly LogRow[] {
    return [...this.#log.all()].filter(({ message }) => tagOf(message) === tag)
  }

  #demand(holds: boolean, text: string): void {
    if (!holds) this.violations.push(text)
  }
}

/** A message starts with the name of its publish. */
function tagOf(message: string): string {
  return message.split(' ', 1)[0] ?? ''
}
