/**
 * What a shard knows of one user with open connections: who listens and up to which id everything
 * was handed on. Owned by the shard's thread alone. It lives as long as the user has connections,
 * so it is kept small: plain arrays, and no collection until one is needed.
 */
import type { ClientId, ConnectionNumber } from '@bellwire/common'

/** The user's newest id is not known yet: the first connection waits for it. */
export const UNKNOWN = -1

/** Frames of one user that were handed on while a page for a connection was read. */
export class Capture {
  readonly frames: { readonly id: number; readonly frame: Uint8Array }[] = []
  bytes = 0
  overflowed = false

  add(id: number, frame: Uint8Array): void {
    if (this.overflowed) return
    this.bytes += frame.length
    if (this.bytes > MAX_CAPTURE_BYTES) {
      this.overflowed = true
      this.frames.length = 0
      return
    }
    this.frames.push({ id, frame })
  }
}

const MAX_CAPTURE_BYTES = 262_144

export class UserState {
  /** Everything up to this id was handed to the live connections. */
  lastId = UNKNOWN
  /** The greatest id this shard heard of; above lastId while the log is being read. */
  highestSeen = 0
  /** A row of the user may be in the log that nobody has told of: its batch had no answer. */
  inDoubt = false
  /** The log is being read for the live connections: commits wait for that. */
  reading = false
  readonly connections: ConnectionNumber[]
  /** Beside `connections`, element by element. */
  readonly clientIds: (ClientId | 0)[]
  /** Connections that are not live, each with what its page read must not miss. */
  behind: Map<ConnectionNumber, Capture | null> | null = null

  constructor(connection: ConnectionNumber, clientId: ClientId | 0) {
    // A literal of one element, not a push: V8 gives a grown array room for 17.
    this.connections = [connection]
    this.clientIds = [clientId]
  }

  add(connection: ConnectionNumber, clientId: ClientId | 0): void {
    this.connections.push(connection)
    this.clientIds.push(clientId)
  }

  has(connection: ConnectionNumber): boolean {
    return this.connections.includes(connection)
  }

  /** O(connections of the user). */
  remove(connection: ConnectionNumber): void {
    const index = this.connections.indexOf(connection)
    if (index === -1) return
    this.connections.splice(index, 1)
    this.clientIds.splice(index, 1)
    this.markLive(connection)
  }

  markBehind(connection: ConnectionNumber, capture: Capture | null): void {
    this.behind ??= new Map()
    this.behind.set(connection, capture)
  }

  markLive(connection: ConnectionNumber): void {
    if (this.behind === null) return
    this.behind.delete(connection)
    if (this.behind.size === 0) this.behind = null
  }

  /** The connections that take a frame as it comes. */
  live(): readonly ConnectionNumber[] {
    const { behind } = this
    if (behind === null) return this.connections
    return this.connections.filter((connection) => !behind.has(connection))
  }

  /** The connections of one client, or of every client for 0. */
  ofClient(clientId: ClientId | 0): readonly ConnectionNumber[] {
    if (clientId === 0) return [...this.connections]
    return this.connections.filter((_, index) => this.clientIds[index] === clientId)
  }
}
