/**
 * One subscriber: a raw WebSocket over node:net, without a library, so that a process can hold many thousands.
 * Runs in the agents. All subscribers of a process read into one shared buffer, so an idle one owns no memory
 * of its own beyond the socket.
 */
import net from 'node:net'
import { nowUs } from './clock.ts'
import { FrameReader, OPCODE_CLOSE, OPCODE_PING, OPCODE_TEXT, pongFrame } from './frame-reader.ts'

const SHARED_READ_BUFFER = Buffer.allocUnsafe(256 * 1024)
const MESSAGE_ID_OFFSET = '{"id":'.length
const STAMP_MARK = Buffer.from('ts=')

export interface Target {
  readonly host: string
  readonly port: number
}

/** What a subscriber tells its owner. Every call comes from the socket's callback. */
export interface SubscriberEvents {
  /** The upgrade was answered 101; `microseconds` since the connect call. */
  opened(microseconds: number): void
  /** The socket ended before it was open; with the seconds of Retry-After where the answer named some. */
  refused(reason: string, retryAfterSeconds: number | null): void
  /** A message arrived: when it was due to be published (0 when it carries no stamp). */
  received(stampUs: number, inOrder: boolean): void
  /** An open socket ended without `close()` having been called. */
  lost(): void
}

export class Subscriber {
  readonly #events: SubscriberEvents
  readonly #frames = new FrameReader()
  readonly #socket: net.Socket
  readonly #startedUs = nowUs()
  #state: 'connecting' | 'open' | 'ended' = 'connecting'
  #lastId: number

  /** Connects at once. `after` asks a Bellwire server for everything behind that id; Gotify ignores it. */
  constructor(
    target: Target,
    token: string,
    localAddress: string | undefined,
    events: SubscriberEvents,
    after?: number,
  ) {
    this.#events = events
    this.#lastId = after ?? 0
    this.#socket = net.connect({
      ...target,
      ...(localAddress === undefined ? {} : { localAddress }),
      onread: { buffer: SHARED_READ_BUFFER, callback: (size) => this.#read(size) },
    })
    this.#socket.setNoDelay(true)
    this.#socket.on('error', (error) => this.#end(error.message))
    this.#socket.on('close', () => this.#end('closed before the upgrade was answered'))
    this.#socket.write(upgradeRequest(target, token, after))
  }

  /** Id of the newest message read, 0 when none was. */
  get lastId(): number {
    return this.#lastId
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Ends the TCP connection without a Close frame, as a phone that lost its network does. */
  close(): void {
    this.#state = 'ended'
    this.#socket.destroy()
  }

  #read(size: number): boolean {
    let bytes = SHARED_READ_BUFFER.subarray(0, size)
    if (this.#state === 'connecting') {
      const headEnd = bytes.indexOf('\r\n\r\n')
      const head = bytes.toString('latin1', 0, headEnd < 0 ? size : headEnd)
      if (headEnd < 0 || !head.startsWith('HTTP/1.1 101')) {
        this.#end(head.split('\r\n', 1)[0] ?? 'no answer', retryAfter(head))
        this.#socket.destroy()
        return false
      }
      this.#state = 'open'
      this.#events.opened(nowUs() - this.#startedUs)
      bytes = bytes.subarray(headEnd + 4)
    }
    if (bytes.length > 0)
      this.#frames.push(bytes, (opcode, payload) => this.#frame(opcode, payload))
    return true
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE_TEXT) {
      const id = digitsAt(payload, MESSAGE_ID_OFFSET)
      const stampAt = payload.indexOf(STAMP_MARK)
      this.#events.received(stampAt < 0 ? 0 : digitsAt(payload, stampAt + 3), id > this.#lastId)
      this.#lastId = id
    } else if (opcode === OPCODE_PING) {
      this.#socket.write(pongFrame(payload))
    } else if (opcode === OPCODE_CLOSE) {
      this.#socket.end()
    }
  }

  #end(reason: string, retryAfterSeconds: number | null = null): void {
    if (this.#state === 'connecting') this.#events.refused(reason, retryAfterSeconds)
    else if (this.#state === 'open') this.#events.lost()
    this.#state = 'ended'
  }
}

function retryAfter(head: string): number | null {
  const seconds = /\r\nretry-after: *(\d+)/i.exec(head)?.[1]
  return seconds === undefined ? null : Number(seconds)
}

function digitsAt(bytes: Buffer, position: number): number {
  let value = 0
  for (let at = position; at < bytes.length; at += 1) {
    const digit = bytes.readUInt8(at) - 48
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  return value
}

function upgradeRequest(target: Target, token: string, after: number | undefined): string {
  const query = after === undefined ? `token=${token}` : `token=${token}&after=${after}`
  return (
    `GET /stream?${query} HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\n` +
    'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
  )
}
