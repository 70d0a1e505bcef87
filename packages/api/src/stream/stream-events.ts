/**
 * Tells the connections that asked for it (`/stream?events=1`) what else changes for their user:
 * messages and applications that are deleted, applications that change. Main thread; between
 * Changes and the sockets. Live hints, never repeated: whoever needs certainty reads the lists.
 */
import type { UserId } from '@bellwire/common'
import type { Change } from '../changes.ts'
import type { Connection, StreamLimits } from './connection.ts'

/** What one event says. */
type StreamEvent =
  | { readonly event: 'message-deleted'; readonly id: number }
  | { readonly event: 'messages-deleted'; readonly appid: number | null }
  | { readonly event: 'application-changed' | 'application-deleted'; readonly appid: number }

export class StreamEvents {
  readonly #limits: StreamLimits
  /** Only those that asked; the others cost nothing here. */
  readonly #listening = new Map<UserId, Set<Connection>>()

  constructor(limits: StreamLimits) {
    this.#limits = limits
  }

  add(connection: Connection): void {
    const ofUser = this.#listening.get(connection.userId)
    if (ofUser === undefined) this.#listening.set(connection.userId, new Set([connection]))
    else ofUser.add(connection)
  }

  remove(connection: Connection): void {
    const ofUser = this.#listening.get(connection.userId)
    ofUser?.delete(connection)
    if (ofUser?.size === 0) this.#listening.delete(connection.userId)
  }

  onChange(change: Change): void {
    const connections = this.#listening.get(change.userId)
    if (connections === undefined) return
    for (const event of eventsOf(change)) {
      const frame = Buffer.from(`${JSON.stringify(event)}\n`)
      for (const connection of connections) connection.hint(this.#limits, frame)
    }
  }
}

/** None for what is none of the receivers' business. */
function eventsOf(change: Change): readonly StreamEvent[] {
  switch (change.kind) {
    case 'message-deleted':
      return change.messageIds.map((id) => ({ event: change.kind, id }))
    case 'messages-deleted':
      return [{ event: change.kind, appid: change.applicationId }]
    case 'application-changed':
    case 'application-deleted':
      return [{ event: change.kind, appid: change.applicationId }]
    case 'user-changed':
    case 'user-deleted':
    case 'client-changed':
    case 'client-deleted':
      return []
  }
}
