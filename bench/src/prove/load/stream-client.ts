/**
 * One stream as its subscriber sees it: a raw WebSocket that hands over every text, and can stop reading or break off.
 * Bytes it knows no better than the wire: frames are cut by wire/frame-reader.ts.
 */
import net from 'node:net'
import {
  FrameReader,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_TEXT,
  pongFrame,
} from '../../wire/frame-reader.ts'

const HEAD_END = '\r\n\r\n'

export interface StreamEvents {
  /** The whole 101 was read. */
  opened(): void
  text(text: string): void
}

export class StreamClient {
  readonly #events: StreamEvents
  readonly #socket: net.Socket
  readonly #frames = new FrameReader()
  #head: Buffer | null = Buffer.alloc(0)
  #status = 0
  /** Settles when the connection is gone: with the status of the upgrade, 0 when none was answered. */
  readonly ended: Promise<number>

  constructor(port: number, token: string, after: number | null, events: StreamEvents) {
    this.#events = events
    this.#socket = net.connect({ port, host: '127.0.0.1' })
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (bytes) => this.#read(bytes))
    // An 'error' is always followed by 'close'.
    this.#socket.on('error', () => this.#socket.destroy())
    this.ended = new Promise((resolve) => this.#socket.once('close', () => resolve(this.#status)))
    const query = after === null ? `token=${token}` : `token=${token}&after=${after}`
    this.#socket.write(
      `GET /stream?${query} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
        'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Ends the TCP connection without a Close frame, as a phone that lost its network does. */
  destroy(): void {
    this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    let rest = bytes
    if (this.#head !== null) {
      this.#head = Buffer.concat([this.#head, bytes])
      const end = this.#head.indexOf(HEAD_END)
      if (end === -1) return
      this.#status = Number(this.#head.toString('latin1', 9, 12))
      if (this.#status !== 101) {
        this.#socket.destroy()
        return
      }
      rest = this.#head.subarray(end + HEAD_END.length)
      this.#head = null
      this.#events.opened()
    }
    this.#frames.push(rest, (opcode, payload) => this.#frame(opcode, payload))
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE_TEXT) this.#events.text(payload.toString().trimEnd())
    else if (opcode === OPCODE_PING) this.#socket.write(pongFrame(payload))
    else if (opcode === OPCODE_CLOSE) this.#socket.end()
  }
}
