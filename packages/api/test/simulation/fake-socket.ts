/**
 * The far end of a connection: takes all frames while its owner reads, and what the kernel and
 * user space hold while not. Frames that were taken are sent in order, as TCP does.
 */
import type { Socket } from '../../src/stream/connection.ts'

export interface SocketEvents {
  frame(text: string): void
  drained(): void
  closed(): void
}

/** What the kernel takes of a socket whose owner doesn't read, bytes. */
const KERNEL_BYTES = 600

export class FakeSocket implements Socket {
  readonly #events: SocketEvents
  #reading = true
  #kernelRoom = KERNEL_BYTES
  #buffered = 0
  #open = true
  greatestBuffered = 0

  constructor(events: SocketEvents) {
    this.#events = events
  }

  get open(): boolean {
    return this.#open
  }

  send(frame: Uint8Array): number {
    if (!this.#open) throw new Error('A closed socket must not be touched')
    this.#events.frame(Buffer.from(frame).toString())
    if (this.#reading) return 1
    const toKernel = this.#buffered === 0 ? Math.min(this.#kernelRoom, frame.length) : 0
    this.#kernelRoom -= toKernel
    this.#buffered += frame.length - toKernel
    this.greatestBuffered = Math.max(this.greatestBuffered, this.#buffered)
    return this.#buffered === 0 ? 1 : 0
  }

  getBufferedAmount(): number {
    return this.#buffered
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#events.closed()
  }

  end(): void {
    this.close()
  }

  ping(): number {
    return 1
  }

  // What the simulation does with it.

  stopReading(): void {
    this.#reading = false
  }

  /** The owner reads some bytes of what waits. */
  readSome(bytes: number): void {
    if (this.#buffered === 0) return
    this.#buffered = Math.max(0, this.#buffered - bytes)
    this.#events.drained()
  }

  readOn(): void {
    this.#reading = true
    this.#kernelRoom = KERNEL_BYTES
    this.readSome(this.#buffered)
  }
}
