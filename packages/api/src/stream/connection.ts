/**
 * One open WebSocket as the gateway sees it: what it was sent last and what it can take now.
 * Stage 9, the end of the flow. Main thread. There are very many of them, so there is no timer,
 * closure or collection in one that keeps up.
 *
 *   live --buffer full--> behind --drained--> catching-up --page at head--> live
 *                           ^------page ended, backlog------'
 */
import type { ClientId, ConnectionNumber, UserId } from '@bellwire/common'

/** The part of a uWebSockets.js WebSocket that a connection uses; the simulation has its own. */
export interface Socket {
  /** 1: sent, 0: kept in user space and will be sent, 2: dropped. */
  send(frame: Uint8Array, isBinary: boolean): number
  getBufferedAmount(): number
  /** Ends the TCP connection without a Close frame. */
  close(): void
  /** Sends a Close frame first. */
  end(code: number, reason: string): void
  ping(): number
}

/**
 * live: frames go out as they come, a few wait in the channel buffer. behind: the buffer was
 * dropped, the log has the rest, the socket must drain first. catching-up: a page is on its way.
 */
export type ConnectionState = 'live' | 'behind' | 'catching-up'

export interface StreamLimits {
  /** Bytes a connection may hold unsent in user space before its channel buffer is used. */
  readonly writeBufferSize: number
  /** Frames it may hold beyond that before it switches to catch-up. */
  readonly channelBufferSize: number
}

/** What connections ask and tell the rest of the gateway. */
export interface ConnectionHost {
  readonly limits: StreamLimits
  requestPage(connection: Connection): void
  channelBufferUsed(): void
}

interface WaitingFrame {
  readonly id: number
  readonly frame: Uint8Array
}

export class Connection {
  readonly number: ConnectionNumber
  readonly userId: UserId
  readonly clientId: ClientId | 0
  /** True for OkHttp, which is deaf for minutes after a Close frame (gotify-api 5.4). */
  readonly endsWithoutFrame: boolean
  state: ConnectionState = 'live'
  /** Greatest id that was sent; every id up to it was sent or lies before the starting point. */
  cursor: number
  #socket: Socket
  #waiting: WaitingFrame[] | null = null

  constructor(
    socket: Socket,
    identity: Pick<Connection, 'number' | 'userId' | 'clientId' | 'endsWithoutFrame' | 'cursor'>,
  ) {
    this.#socket = socket
    this.number = identity.number
    this.userId = identity.userId
    this.clientId = identity.clientId
    this.endsWithoutFrame = identity.endsWithoutFrame
    this.cursor = identity.cursor
  }

  /** Takes the next message of its user. `keep` makes a copy that outlives the call. */
  deliver(host: ConnectionHost, id: number, frame: Uint8Array, keep: () => Uint8Array): void {
    if (this.state !== 'live' || id <= this.cursor) return
    if (this.#waiting === null && this.#hasRoom(host)) {
      this.#send(id, frame)
      return
    }
    this.#waiting ??= []
    host.channelBufferUsed()
    if (this.#waiting.length < host.limits.channelBufferSize) {
      this.#waiting.push({ id, frame: keep() })
      return
    }
    // The rows are in the log: nothing is lost by dropping the frames.
    this.fallBehind(host)
  }

  /** The socket's backlog has shrunk. */
  drained(host: ConnectionHost): void {
    if (this.state === 'catching-up' || !this.#hasRoom(host)) return
    if (this.state === 'behind') {
      this.state = 'catching-up'
      host.requestPage(this)
      return
    }
    this.#sendWaiting(host)
  }

  /** Leaves the live stream; it goes on from the cursor by pages as soon as the socket has room. */
  fallBehind(host: ConnectionHost): void {
    this.#waiting = null
    this.state = 'behind'
    this.drained(host)
  }

  /** Its shard's worker died: what was on its way is void, the shard will say where to go on. */
  suspend(): void {
    this.#waiting = null
    this.state = 'catching-up'
  }

  pageRow(id: number, frame: Uint8Array): void {
    if (this.state === 'catching-up' && id > this.cursor) this.#send(id, frame)
  }

  pageEnd(host: ConnectionHost, atHead: boolean): void {
    if (this.state !== 'catching-up') return
    this.state = atHead ? 'live' : 'behind'
    this.drained(host)
  }

  /** Sends a frame that is no message if it can go at once, behind every message; else drops it. */
  hint(limits: StreamLimits, frame: Uint8Array): void {
    if (this.state === 'live' && this.#waiting === null && this.#hasRoom({ limits })) {
      this.#socket.send(frame, false)
    }
  }

  ping(): void {
    this.#socket.ping()
  }

  /** Ends the connection at once, as Gotify does for a deleted client: no Close frame. */
  cut(): void {
    this.#socket.close()
  }

  /** Ends the connection because the server goes away. */
  end(code: number, reason: string): void {
    if (this.endsWithoutFrame) this.#socket.close()
    else this.#socket.end(code, reason)
  }

  #hasRoom({ limits }: Pick<ConnectionHost, 'limits'>): boolean {
    return this.#socket.getBufferedAmount() <= limits.writeBufferSize
  }

  /** A result of 0 means that uWebSockets.js keeps the frame and will send it: never send it again. */
  #send(id: number, frame: Uint8Array): void {
    this.#socket.send(frame, false)
    this.cursor = id
  }

  #sendWaiting(host: ConnectionHost): void {
    const waiting = this.#waiting
    if (waiting === null) return
    let sent = 0
    for (const { id, frame } of waiting) {
      if (!this.#hasRoom(host)) break
      this.#send(id, frame)
      sent++
    }
    if (sent === waiting.length) this.#waiting = null
    else waiting.splice(0, sent)
  }
}
