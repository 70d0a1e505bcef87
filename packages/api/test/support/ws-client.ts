/**
 * A WebSocket client as raw as a test needs it: it offers any header, sends any frame, right or
 * wrong, and can stop reading. Nothing in it answers by itself, except the ping of the server.
 */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { idOf } from './api-client.ts'

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

const PATIENCE_MS = 60_000
const HEAD_END = '\r\n\r\n'

export interface OpenOptions {
  readonly token?: string
  /** `name:password` */
  readonly basic?: string
  /** What follows `after=`. */
  readonly after?: number | string
  /** What follows `events=`. */
  readonly events?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Where the connection comes from: each address has its own 28,000 ports. */
  readonly localAddress?: string
}

export interface Handshake {
  /** 0: the connection ended without an answer. */
  readonly status: number
  /** The whole answer, head and body. */
  readonly text: string
}

/** `code` is that of the Close frame; null when the connection ended without one. */
export interface Closing {
  readonly code: number | null
}

export interface Frame {
  readonly opcode: number
  readonly payload: Buffer
}

/** Offers an upgrade; resolves with the connection, or with the answer that refused it. */
export async function offerStream(
  port: number,
  options: OpenOptions,
): Promise<StreamClient | Handshake> {
  const { localAddress } = options
  const socket = connect({ port, host: '127.0.0.1', ...(localAddress && { localAddress }) })
  const client = new StreamClient(socket)
  socket.write(upgradeRequest(port, options))
  const handshake = await client.handshake()
  return handshake.status === 101 ? client : handshake
}

/** @throws {Error} when the upgrade is refused */
export async function openStream(port: number, options: OpenOptions): Promise<StreamClient> {
  const result = await offerStream(port, options)
  if (result instanceof StreamClient) return result
  throw new Error(`No stream: ${result.status} ${result.text}`)
}

export function upgradeRequest(
  port: number,
  { token, basic, after, events, headers }: OpenOptions,
): string {
  const lines: Record<string, string> = {
    host: `127.0.0.1:${port}`,
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    ...(token !== undefined && { 'x-gotify-key': token }),
    ...(basic !== undefined && {
      authorization: `Basic ${Buffer.from(basic).toString('base64')}`,
    }),
    ...headers,
  }
  const query = new URLSearchParams({
    ...(after !== undefined && { after: String(after) }),
    ...(events !== undefined && { events }),
  })
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET /stream?${query.toString()} HTTP/1.1\r\n${head.join('')}\r\n`
}

export class StreamClient {
  /** The messages in the order they came, each without its line feed. */
  readonly texts: string[] = []
  /** Every frame that was no message. */
  readonly others: Frame[] = []
  /** The answer to the upgrade. */
  head = ''
  answersPings = true
  /** Messages that did not end in a line feed. */
  unterminated = 0
  readonly closed: Promise<Closing>
  readonly #socket: Socket
  readonly #waiting = new Set<() => void>()
  #received: Buffer = Buffer.alloc(0)
  #open = false
  #ended = false
  #closeCode: number | null = null

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#ended = true
        this.#wake()
        resolve({ code: this.#closeCode })
      })
    })
  }

  get isClosed(): boolean {
    return this.#ended
  }

  get ids(): readonly number[] {
    return this.texts.map(idOf)
  }

  /** Id of the newest message; 0 for none. */
  get lastId(): number {
    return idOf(this.texts.at(-1) ?? '{"id":0')
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Sends one frame, masked as the protocol wants it. */
  send(opcode: number, payload: Uint8Array | string = '', { fin = true, rsv = 0 } = {}): void {
    const bytes = Buffer.from(payload)
    const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode
    const mask = randomBytes(4)
    const masked = bytes.map((byte, index) => byte ^ (mask[index % 4] ?? 0))
    this.#socket.write(Buffer.concat([lengthHead(first, bytes.length), mask, masked]))
  }

  /** Sends bytes that are no frame, perhaps. */
  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Goes without a word. */
  destroy(): void {
    this.#socket.destroy()
  }

  /** Waits until the test holds. @throws {Error} when the connection ends first or nothing happens */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#ended) throw new Error(`The stream ended, ${this.texts.length} messages came`)
      await new Promise<void>((resolve, reject) => {
        const waiting = (): void => {
          clearTimeout(patience)
          this.#waiting.delete(waiting)
          resolve()
        }
        const patience = setTimeout(() => {
          this.#waiting.delete(waiting)
          reject(new Error(`Nothing came in time, ${this.texts.length} messages before`))
        }, PATIENCE_MS)
        this.#waiting.add(waiting)
      })
    }
  }

  /** Waits for the message with this id or a greater one. */
  async untilId(id: number): Promise<void> {
    await this.until(() => this.lastId >= id)
  }

  async handshake(): Promise<Handshake> {
    const inHead = (): number => this.#received.indexOf(HEAD_END)
    while (inHead() === -1 && !this.#ended) await this.#change()
    const head = inHead()
    const status = Number(this.#received.subarray(9, 12).toString('latin1')) || 0
    if (head === -1 || status !== 101) {
      await this.closed
      return { status, text: this.#received.toString() }
    }
    const text = this.#received.subarray(0, head + HEAD_END.length).toString('latin1')
    this.#received = this.#received.subarray(text.length)
    this.head = text
    this.#open = true
    this.#parse()
    return { status, text }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const waiting = (): void => {
        this.#waiting.delete(waiting)
        resolve()
      }
      this.#waiting.add(waiting)
    })
  }

  #wake(): void {
    for (const waiting of [...this.#waiting]) waiting()
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    if (this.#open) this.#parse()
    this.#wake()
  }

  #parse(): void {
    for (;;) {
      const frame = readFrame(this.#received)
      if (frame === null) return
      this.#received = this.#received.subarray(frame.length)
      this.#handle(frame)
    }
  }

  #handle({ opcode, payload }: Frame): void {
    if (opcode === OPCODE.text) {
      const text = payload.toString()
      if (!text.endsWith('\n')) this.unterminated++
      this.texts.push(text.slice(0, -1))
      return
    }
    this.others.push({ opcode, payload: Buffer.from(payload) })
    if (opcode === OPCODE.ping && this.answersPings) this.send(OPCODE.pong, payload)
    if (opcode === OPCODE.close)
      this.#closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005
  }
}

/** A frame of the server, which is never masked; null while it is not whole. */
function readFrame(bytes: Buffer): (Frame & { readonly length: number }) | null {
  const short = (bytes[1] ?? 0) & 0x7f
  const headLength = short === 126 ? 4 : short === 127 ? 10 : 2
  if (bytes.length < headLength) return null
  const payloadLength =
    short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
  const length = headLength + payloadLength
  if (bytes.length < length) return null
  return { opcode: (bytes[0] ?? 0) & 0x0f, payload: bytes.subarray(headLength, length), length }
}

function lengthHead(first: number, length: number): Buffer {
  const masked = 0x80
  if (length < 126) return Buffer.from([first, masked | length])
  if (length < 65_536) return Buffer.from([first, masked | 126, length >> 8, length & 0xff])
  const head = Buffer.alloc(10)
  head[0] = first
  head[1] = masked | 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}
