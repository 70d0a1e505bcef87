/**
 * How processes tell each other that the log has grown: "user u has messages up to id n". A hint
 * carries no message and may get lost; whoever gets one reads the log by id. A slow poll stands
 * behind it.
 */
import type { UserId } from '@bellwire/common'

export interface HintListener {
  /** Another process committed. */
  heard(userId: UserId, messageId: number): void
  /** Hints may have been lost: compare with the log. */
  gap(): void
}

export interface HintBus {
  listen(listener: HintListener): void
  /** Tells the others; many calls become few hints. Never fails: a hint may get lost. */
  tell(userId: UserId, messageId: number): void
  close(): Promise<void>
}

/** PostgreSQL takes less than 8,000 bytes a notification. */
const MAX_HINT_BYTES = 7_900

/**
 * Writes hints as texts: the sender, then pairs. Only the newest id of a user counts, so what
 * gathers while one batch of hints is under way stays small.
 */
export function encodeHints(origin: string, heads: ReadonlyMap<UserId, number>): string[] {
  const texts: string[] = []
  let text = origin
  for (const [userId, id] of heads) {
    const pair = ` ${userId.toString(36)}:${id.toString(36)}`
    if (text.length + pair.length > MAX_HINT_BYTES) {
      texts.push(text)
      text = origin
    }
    text += pair
  }
  if (text !== origin) texts.push(text)
  return texts
}

/** Reads a hint of another process; what cannot be read counts as a gap. */
export function readHints(origin: string, text: string, listener: HintListener): void {
  const [sender, ...pairs] = text.split(' ')
  if (sender === origin) return
  for (const pair of pairs) {
    const [user = '', id = ''] = pair.split(':')
    const userId = Number.parseInt(user, 36)
    const messageId = Number.parseInt(id, 36)
    if (Number.isSafeInteger(userId) && Number.isSafeInteger(messageId)) {
      listener.heard(userId as UserId, messageId)
    } else {
      listener.gap()
    }
  }
}
