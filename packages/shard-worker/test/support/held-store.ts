/** A MessageStore whose calls wait until the test answers them, in whatever order it likes. */
import type { UserId } from '@bellwire/common'
import type {
  Heads,
  MessageStore,
  NewMessage,
  Page,
  Stored,
  StoredMessage,
} from '../../src/store/message-store.ts'

export interface HeldCall<Asked, Answer> {
  readonly asked: Asked
  answer(answer: Answer): Promise<void>
  fail(error: Error): Promise<void>
}

export class HeldStore implements MessageStore {
  isUp = true
  readonly inserts: HeldCall<readonly NewMessage[], readonly Stored[]>[] = []
  readonly headQueries: HeldCall<readonly UserId[], Heads>[] = []
  readonly pages: HeldCall<{ readonly userId: UserId; readonly after: number }, Page>[] = []
  readonly #upListeners: (() => void)[] = []

  insert(batch: readonly NewMessage[]): Promise<readonly Stored[]> {
    return hold(this.inserts, batch)
  }

  heads(userIds: readonly UserId[]): Promise<Heads> {
    return hold(this.headQueries, userIds)
  }

  page(userId: UserId, after: number): Promise<Page> {
    return hold(this.pages, { userId, after })
  }

  async application(): Promise<null> {
    return null
  }

  async prove(): Promise<void> {
    // Nothing to prove: no test of a shard asks.
  }

  onUp(listener: () => void): void {
    this.#upListeners.push(listener)
  }

  comeBack(): void {
    this.isUp = true
    for (const listener of this.#upListeners) listener()
  }

  async close(): Promise<void> {
    this.isUp = false
  }
}

function hold<Asked, Answer>(calls: HeldCall<Asked, Answer>[], asked: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    calls.push({
      asked,
      answer: (answer) => {
        resolve(answer)
        return nextTurn()
      },
      fail: (error) => {
        reject(error)
        return nextTurn()
      },
    })
  })
}

/** Everything that follows from what was answered has happened. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The call at this place; the test fails when it was not made. */
export function callAt<Call>(calls: readonly Call[], index: number): Call {
  const call = calls[index]
  if (call === undefined) throw new Error(`Only ${calls.length} calls were made`)
  return call
}

export function newMessage(message: string, fields: Partial<NewMessage> = {}): NewMessage {
  return {
    userId: 1 as UserId,
    applicationId: 7 as NewMessage['applicationId'],
    title: 'title',
    message,
    priority: 0,
    extras: null,
    date: Date.UTC(2026, 0, 1),
    idempotencyKey: '',
    fingerprint: null,
    ...fields,
  }
}

export function storedMessage(id: number, message = `message ${id}`): StoredMessage {
  return { ...newMessage(message), id }
}
