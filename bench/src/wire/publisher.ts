/**
 * One publisher: a keep-alive HTTP/1.1 connection with one request under way at a time. Runs in the agents.
 * Written on node:net because an HTTP library would cost the load process more than the server spends.
 */
import net from 'node:net'
import type { Target } from './subscriber.ts'

const READ_BUFFER = Buffer.allocUnsafe(256 * 1024)
const STAMP_DIGITS = 16

/** `status` is 0 when the connection ended before an answer. */
export type AnswerHandler = (publisher: Publisher, status: number) => void

export class Publisher {
  readonly #target: Target
  readonly #onAnswer: AnswerHandler
  #socket: net.Socket
  #answer = ''
  #closed = false
  /** The moment the request under way was due, microseconds of `nowUs()`. */
  dueUs = 0
  busy = false

  constructor(target: Target, onAnswer: AnswerHandler) {
    this.#target = target
    this.#onAnswer = onAnswer
    this.#socket = this.#connect()
  }

  /** Sends one message whose text begins with the stamp of `dueUs`; `onAnswer` follows exactly once. */
  send(prepared: PreparedRequest, dueUs: number): void {
    this.dueUs = dueUs
    this.busy = true
    const stamp = String(dueUs).padStart(STAMP_DIGITS, '0')
    this.#socket.write(prepared.head + stamp + prepared.tail, 'latin1')
  }

  close(): void {
    this.#closed = true
    this.#socket.destroy()
  }

  #connect(): net.Socket {
    const socket = net.connect({
      ...this.#target,
      onread: {
        buffer: READ_BUFFER,
        callback: (size) => {
          this.#read(READ_BUFFER.toString('latin1', 0, size))
          return true
        },
      },
    })
    socket.setNoDelay(true)
    // An 'error' is always followed by 'close', which answers the request and reconnects.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#reconnect())
    return socket
  }

  #reconnect(): void {
    if (this.#closed) return
    this.#answer = ''
    setTimeout(() => {
      if (this.#closed) return
      this.#socket = this.#connect()
      if (this.busy) this.#finish(0)
    }, 50)
  }

  #read(text: string): void {
    this.#answer += text
    const status = completeStatus(this.#answer)
    if (status === null) return
    this.#answer = ''
    if (this.busy) this.#finish(status)
  }

  #finish(status: number): void {
    this.busy = false
    this.#onAnswer(this, status)
  }
}

/** A request with a hole of 16 digits for the stamp, so that sending costs one string joining. */
export interface PreparedRequest {
  readonly head: string
  readonly tail: string
}

export function prepareRequest(
  target: Target,
  token: string,
  messageBytes: number,
): PreparedRequest {
  const open = '{"title":"hello","priority":5,"message":"ts='
  const padding = 'x'.repeat(Math.max(0, messageBytes - 'ts= '.length - STAMP_DIGITS))
  const tail = ` ${padding}"}`
  const head =
    `POST /message HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\nX-Gotify-Key: ${token}\r\n` +
    'Content-Type: application/json\r\n' +
    `Content-Length: ${open.length + STAMP_DIGITS + tail.length}\r\n\r\n`
  return { head: head + open, tail }
}

/** The status of a whole answer, null while bytes are missing. Knows Content-Length and chunked bodies. */
export function completeStatus(answer: string): number | null {
  const headEnd = answer.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const head = answer.slice(0, headEnd)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  const complete =
    length !== undefined
      ? answer.length >= headEnd + 4 + Number(length)
      : !/\r\ntransfer-encoding: *chunked/i.test(head) || answer.endsWith('\r\n0\r\n\r\n')
  return complete ? Number(answer.slice(9, 12)) : null
}
