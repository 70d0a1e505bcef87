/**
 * The way of bodies that are too big for a lane: posted to the other thread without a copy, while a
 * placeholder in the lane keeps their place. One port a worker thread carries all its lanes, which
 * are drained in no common order, so each body is tagged with its shard and write sequence.
 * Used by LaneWriter and LaneReader only.
 */
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { PushError } from '../errors.ts'
import type { Arena } from './arena.ts'
import type { Direction } from './layout.ts'

/** Bytes that may wait in transferred bodies, all threads together, in each direction. */
const OUTSTANDING_LIMIT_BYTES = 64 * 1024 * 1024

interface TransferredBody {
  readonly tag: number
  readonly body: ArrayBuffer
}

/** Sends bodies of one direction and one worker thread; has one writing thread. */
export class TransferSender {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #outstanding: number
  readonly #limitBytes: number
  readonly #port: MessagePort

  constructor(arena: Arena, thread: number, direction: Direction, port: MessagePort) {
    this.#words = arena.words
    this.#outstanding = arena.layout.outstanding(thread, direction)
    this.#limitBytes = OUTSTANDING_LIMIT_BYTES / arena.layout.threadCount
    this.#port = port
  }

  /** Tells whether a body may be sent now: one always may when none is outstanding, so every size gets through. */
  hasRoom(byteLength: number): boolean {
    // order: the receiver only lowers the count, so an early load refuses at worst; this thread
    // alone raises it.
    const bytes = Atomics.load(this.#words, this.#outstanding)
    return bytes === 0 || bytes + byteLength <= this.#limitBytes
  }

  /** Hands the body over; it is in the receiver's queue when this returns, before its placeholder is committed. */
  send(shard: number, sequence: number, body: ArrayBuffer): void {
    // order: raised before the body can be received, so the count never falls below 0.
    Atomics.add(this.#words, this.#outstanding, body.byteLength)
    const message: TransferredBody = { tag: tagOf(shard, sequence), body }
    this.#port.postMessage(message, [body])
  }
}

/** Receives bodies of one direction and one worker thread; has one reading thread. */
export class TransferReceiver {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #outstanding: number
  readonly #port: MessagePort
  /** Bodies of other lanes that came out of the port while one was looked for; at most what may be outstanding. */
  readonly #early = new Map<number, ArrayBuffer>()

  constructor(arena: Arena, thread: number, direction: Direction, port: MessagePort) {
    this.#words = arena.words
    this.#outstanding = arena.layout.outstanding(thread, direction)
    this.#port = port
  }

  /**
   * Takes the body of a placeholder without waiting: it was posted before the placeholder was committed.
   *
   * @throws {PushError} INTERNAL when the body never came.
   */
  take(shard: number, sequence: number): ArrayBuffer {
    const tag = tagOf(shard, sequence)
    const early = this.#early.get(tag)
    if (early !== undefined) {
      this.#early.delete(tag)
      return early
    }
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { message: TransferredBody } | undefined
      if (received === undefined) {
        throw new PushError(
          'INTERNAL',
          `Cannot read shard ${shard}: the body of record ${sequence} was not posted`,
        )
      }
      if (received.message.tag === tag) return received.message.body
      this.#early.set(received.message.tag, received.message.body)
    }
  }

  /** Gives the room of a body that was handled back to the sender. */
  release(byteLength: number): void {
    // order: comes before the lane's read sequence moves, so a sender that sees the lane's room
    // sees this room too.
    Atomics.sub(this.#words, this.#outstanding, byteLength)
  }
}

/** One number for a shard and a 32-bit sequence; exact for up to 2^21 shards. */
function tagOf(shard: number, sequence: number): number {
  return shard * 2 ** 32 + (sequence >>> 0)
}
