/** A TCP connection that says exactly what a test wants, byte by byte, and keeps what comes back. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const PATIENCE_MS = 20_000

export interface RawAnswer {
  readonly status: number
  /** Lower-case names; lines of the same name are joined with ', '. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

export class RawConnection {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #ended = false
  #wake: () => void = () => undefined

  /** Use open(). */
  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    const end = (): void => {
      this.#ended = true
      this.#wake()
    }
    socket.on('close', end)
    socket.on('error', end)
  }

  static async open(target: number | string): Promise<RawConnection> {
    const socket = typeof target === 'number' ? connect(target, '127.0.0.1') : connect(target)
    socket.setNoDelay(true)
    const connection = new RawConnection(socket)
    await once(socket, 'connect')
    return connection
  }

  /** Latin-1, so any byte can be said. */
  write(text: string | Uint8Array): void {
    this.#socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text)
  }

  /** Stops sending, goes on reading. */
  end(): void {
    this.#socket.end()
  }

  /** Drops the connection with a RST. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** The next answer; null if the connection ends first. */
  async answer(options: { head?: boolean } = {}): Promise<RawAnswer | null> {
    const head = await this.#until(() => headLength(this.#received))
    if (head === null) return null
    const [first = '', ...lines] = this.#received
      .subarray(0, head - 4)
      .toString('latin1')
      .split('\r\n')
    const headers = new Map<string, string>()
    for (const line of lines) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon).toLowerCase()
      const value = line.slice(colon + 1).trim()
      const known = headers.get(name)
      headers.set(name, known === undefined ? value : `${known}, ${value}`)
    }
    const told = headers.get('content-length')
    const bodyless = options.head === true || told === undefined
    const length = bodyless && !this.#closes(told, options) ? 0 : Number(told ?? Infinity)
    const whole = await this.#until(() =>
      this.#received.length >= head + length || this.#ended ? head + length : null,
    )
    const end = Math.min(whole ?? head, this.#received.length)
    const body = this.#received.subarray(head, end).toString()
    this.#received = this.#received.subarray(end)
    return { status: Number(first.split(' ')[1]), headers, body }
  }

  /** Waits for the end of the connection and returns what came before it. */
  async closed(): Promise<string> {
    await this.#until(() => (this.#ended ? 1 : null))
    return this.#received.toString('latin1')
  }

  /** An answer without a length that is no 1xx, 204 or HEAD runs to the end of the connection. */
  #closes(told: string | undefined, options: { head?: boolean }): boolean {
    const status = Number(this.#received.subarray(9, 12).toString())
    return told === undefined && options.head !== true && status !== 204 && status >= 200
  }

  async #until(test: () => number | null): Promise<number | null> {
    const patience = AbortSignal.timeout(PATIENCE_MS)
    for (;;) {
      const result = test()
      if (result !== null) return result
      if (this.#ended) return null
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve
        patience.onabort = () => reject(new Error('Nothing came back in time'))
      })
    }
  }
}

function headLength(bytes: Buffer): number | null {
  const end = bytes.indexOf('\r\n\r\n')
  return end < 0 ? null : end + 4
}
