/**
 * Stage 7 of the flow: hands committed messages of a user to the connections that listen, in id
 * order and without a gap. Every message goes through here exactly once per process, whether this
 * process committed it or read it from the log.
 */
import {
  encodeMessage,
  encodeMessageTail,
  MAX_CONNECTIONS_PER_DELIVERY,
  type ConnectionNumber,
  type CorrelationId,
} from '@bellwire/common'
import type { Outbox } from './outbox.ts'
import type { StoredMessage } from './store/message-store.ts'
import type { UserState } from './user-state.ts'

const NOBODY: readonly ConnectionNumber[] = Object.freeze([])

/** The one text of a message, as bytes: the publish answer and the frame, which ends in a line feed. */
export function frameOf(id: number, tail: string): Uint8Array {
  return Buffer.from(`${encodeMessage(id, tail)}\n`)
}

/** The frames of pages that several connections read, for as long as one of them has the page. */
const encoded = new WeakMap<StoredMessage, Uint8Array>()

export function frameOfStored(message: StoredMessage): Uint8Array {
  const known = encoded.get(message)
  if (known !== undefined) return known
  const frame = frameOf(message.id, encodeMessageTail(message))
  encoded.set(message, frame)
  return frame
}

/** Answers the publisher alone: nobody listens, or the log is being read for those who do. */
export function answerPublisher(
  outbox: Outbox,
  shard: number,
  correlationId: CorrelationId,
  id: number,
  frame: Uint8Array,
): void {
  outbox.write(shard, { kind: 'message', correlationId, messageId: id, connections: NOBODY, frame })
}

/**
 * Hands a message to the live connections of its user and notes it for those whose page is being
 * read. The first record also answers the publisher; correlation id 0 means there is none here.
 */
export function fanOut(
  outbox: Outbox,
  shard: number,
  user: UserState,
  correlationId: CorrelationId | 0,
  id: number,
  frame: Uint8Array,
): void {
  user.lastId = id
  if (id > user.highestSeen) user.highestSeen = id
  if (user.behind !== null) {
    for (const capture of user.behind.values()) capture?.add(id, frame)
  }
  const live = user.live()
  const few = live.length <= MAX_CONNECTIONS_PER_DELIVERY
  const connections = few ? live : live.slice(0, MAX_CONNECTIONS_PER_DELIVERY)
  outbox.write(shard, { kind: 'message', correlationId, messageId: id, connections, frame })
  for (let from = connections.length; from < live.length; from += MAX_CONNECTIONS_PER_DELIVERY) {
    const more = live.slice(from, from + MAX_CONNECTIONS_PER_DELIVERY)
    outbox.write(shard, {
      kind: 'message',
      correlationId: 0,
      messageId: id,
      connections: more,
      frame,
    })
  }
}
