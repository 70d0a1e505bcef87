/**
 * Collects the body of a request within bounds. Gateway thread; beside authentication, because
 * uWebSockets.js drops body bytes that nobody listens to. Until somebody asks for the body, no
 * more than a first piece of it is taken from the socket: strangers cannot fill the memory.
 */
import { PushError, type UserId } from '@bellwire/common'
import type * as uws from 'uWebSockets.js'

/** Bytes that are read before the request is authenticated. */
const FIRST_PIECE_BYTES = 64 * 1024

/** Whose body it is; 0: nobody knows yet, and all of these count as one. */
export type BodyOwner = UserId | 0

/** Bytes that all bodies of this process may hold together, and those of one user. */
export class BodyBudget {
  #free: number
  readonly #share: number
  /** Of those who hold any. */
  readonly #heldBy = new Map<BodyOwner, number>()

  constructor(maxBytes: number, share = maxBytes) {
    this.#free = maxBytes
    this.#share = share
  }

  tryTake(bytes: number, owner: BodyOwner = 0): boolean {
    const held = (this.#heldBy.get(owner) ?? 0) + bytes
    if (bytes > this.#free || held > this.#share) return false
    this.#free -= bytes
    this.#heldBy.set(owner, held)
    return true
  }

  giveBack(bytes: number, owner: BodyOwner = 0): void {
    if (bytes === 0) return
    this.#free += bytes
    const held = (this.#heldBy.get(owner) ?? 0) - bytes
    if (held > 0) this.#heldBy.set(owner, held)
    else this.#heldBy.delete(owner)
  }
}

export class BodyReader {
  readonly #res: uws.HttpResponse
  readonly #maxBytes: number
  readonly #budget: BodyBudget
  #chunks: Buffer[] = []
  #held = 0
  #complete = false
  #paused = false
  #released = false
  #failure: Error | null = null
  #waiter: { resolve: (body: Uint8Array) => void; reject: (error: Error) => void } | null = null

  /**
   * Starts to listen; must be called before the first await of the handler.
   * @param announced bytes that the request says will follow, undefined if it does not say
   */
  constructor(
    res: uws.HttpResponse,
    budget: BodyBudget,
    maxBytes: number,
    announced: number | undefined,
  ) {
    this.#res = res
    this.#budget = budget
    this.#maxBytes = maxBytes
    if (announced === 0) {
      this.#complete = true
      return
    }
    if (announced !== undefined && announced > maxBytes) this.#fail(tooLarge(maxBytes))
    res.onData((chunk, isLast) => this.#add(chunk, isLast))
  }

  /** True once the last byte is in. */
  get complete(): boolean {
    return this.#complete
  }

  /**
   * Reads the rest and returns the whole body.
   * @throws {PushError} BODY_TOO_LARGE; OVERLOADED if all bodies together hold too much
   */
  read(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject }
      this.resume()
      this.#settle()
    })
  }

  /** Lets the rest come in; due before an answer too, or a paused socket would never read on. */
  resume(): void {
    if (!this.#paused || this.#released) return
    this.#paused = false
    this.#res.resume()
  }

  /** Gives up on the body, after an answer or an abort: whoever waits for it gets the error. */
  release(error: Error): void {
    if (this.#released) return
    this.#released = true
    this.#failure ??= error
    this.#drop()
    this.#settle()
  }

  #add(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.#released || this.#failure !== null) return
    if (isLast) this.#complete = true
    const bytes = chunk.byteLength
    if (this.#held + bytes > this.#maxBytes) this.#fail(tooLarge(this.#maxBytes))
    else if (!this.#budget.tryTake(bytes)) this.#fail(noRoom())
    else {
      this.#held += bytes
      // The memory behind the chunk is gone when this handler returns.
      this.#chunks.push(Buffer.from(new Uint8Array(chunk)))
      if (!isLast && this.#waiter === null && this.#held > FIRST_PIECE_BYTES) {
        this.#paused = true
        this.#res.pause()
      }
    }
    this.#settle()
  }

  #fail(error: PushError): void {
    this.#failure = error
    this.#drop()
  }

  #drop(): void {
    this.#chunks = []
    this.#budget.giveBack(this.#held)
    this.#held = 0
  }

  #settle(): void {
    if (this.#waiter === null) return
    if (this.#failure !== null) {
      this.#waiter.reject(this.#failure)
    } else if (this.#complete) {
      const [only, ...more] = this.#chunks
      this.#waiter.resolve(
        only !== undefined && more.length === 0 ? only : Buffer.concat(this.#chunks),
      )
    } else {
      return
    }
    this.#waiter = null
  }
}

function tooLarge(maxBytes: number): PushError {
  return new PushError('BODY_TOO_LARGE', `the request body is larger than ${maxBytes} bytes`)
}

function noRoom(): PushError {
  return new PushError('OVERLOADED', 'too many request bodies are being read, try again')
}
