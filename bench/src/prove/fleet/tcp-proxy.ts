/**
 * The network between one Bellwire and its PostgreSQL: a listener that hands bytes on, and can break, hold back or
 * refuse connections. One for each host, so that a fault may hit one and spare the others.
 */
import { once } from 'node:events'
import net from 'node:net'

export class TcpProxy {
  readonly #server: net.Server
  readonly #sockets = new Set<net.Socket>()
  #stalled = false
  #refusing = false
  #healedAt = Number.NEGATIVE_INFINITY

  /** @param path the unix socket of the server behind it */
  constructor(path: string) {
    this.#server = net.createServer((near) => this.#join(near, path))
  }

  /** @returns the port on 127.0.0.1 */
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as net.AddressInfo).port
  }

  /** A fault is on, or was until so many milliseconds ago. */
  isTroubledSince(agoMs: number): boolean {
    return this.#stalled || this.#refusing || performance.now() - this.#healedAt < agoMs
  }

  /** Breaks every connection; new ones are taken. @returns false when there was none */
  cut(): boolean {
    for (const socket of this.#sockets) socket.destroy()
    return this.#sockets.size > 0
  }

  /** Nothing comes through and nobody is told, as with a network that swallows its packets. @returns false when a fault is on already */
  stall(): boolean {
    if (this.#stalled || this.#refusing) return false
    this.#stalled = true
    for (const socket of this.#sockets) socket.pause()
    return true
  }

  /** Breaks every connection, and each new one as it comes. @returns false when a fault is on already */
  refuse(): boolean {
    if (this.#stalled || this.#refusing) return false
    this.#refusing = true
    this.cut()
    return true
  }

  /** Everything flows again, also what was held back. */
  heal(): void {
    if (this.#stalled || this.#refusing) this.#healedAt = performance.now()
    this.#stalled = false
    this.#refusing = false
    for (const socket of this.#sockets) socket.resume()
  }

  async close(): Promise<void> {
    this.#server.close()
    this.cut()
    await once(this.#server, 'close')
  }

  #join(near: net.Socket, path: string): void {
    if (this.#refusing) {
      near.destroy()
      return
    }
    const far = net.connect(path)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      from.setNoDelay(true)
      from.on('data', (bytes) => {
        if (to.write(bytes)) return
        from.pause()
        to.once('drain', () => {
          if (!this.#stalled) from.resume()
        })
      })
      from.on('end', () => to.end())
      // An 'error' is always followed by 'close'.
      from.on('error', () => from.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      if (this.#stalled) from.pause()
    }
  }
}
