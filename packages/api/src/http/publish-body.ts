/**
 * Reads the body of a publish. Gateway thread. The usual body comes in one piece and is handed on
 * in place, without a copy; longer ones are gathered within a bound of their own and one for all.
 */
import { PushError } from '@bellwire/common'
import type * as uws from 'uWebSockets.js'
import type { BodyBudget, BodyOwner } from './body.ts'

export interface BodyHandlers {
  /** The whole body. `inPlace`: the bytes are valid during the call only. */
  whole(body: Uint8Array, inPlace: boolean): void
  failed(error: PushError): void
}

export interface BodyBounds {
  readonly maxBytes: number
  /** For bodies in several pieces. */
  readonly budget: BodyBudget
  readonly owner: BodyOwner
}

const EMPTY = new Uint8Array(0)

/** Starts to listen; must be called before the handler returns. @returns a function that gives up on the body */
export function readPublishBody(
  res: uws.HttpResponse,
  announced: number | undefined,
  { maxBytes, budget, owner }: BodyBounds,
  handlers: BodyHandlers,
): () => void {
  if (announced === 0) {
    handlers.whole(EMPTY, false)
    return noBody
  }
  let chunks: Buffer[] = []
  let held = 0
  let over = false
  const giveUp = (): void => {
    over = true
    chunks = []
    budget.giveBack(held, owner)
    held = 0
  }
  const fail = (error: PushError): void => {
    giveUp()
    handlers.failed(error)
  }
  res.onData((chunk, isLast) => {
    if (over) return
    const bytes = chunk.byteLength
    if (held + bytes > maxBytes) {
      fail(new PushError('BODY_TOO_LARGE', `the request body is larger than ${maxBytes} bytes`))
    } else if (isLast && held === 0) {
      over = true
      handlers.whole(new Uint8Array(chunk), true)
    } else if (!budget.tryTake(bytes, owner)) {
      fail(new PushError('OVERLOADED', 'too many request bodies are being read, try again'))
    } else {
      held += bytes
      // The memory behind the chunk is gone when this handler returns.
      chunks.push(Buffer.from(new Uint8Array(chunk)))
      if (!isLast) return
      const body = Buffer.concat(chunks)
      giveUp()
      handlers.whole(body, false)
    }
  })
  return giveUp
}

function noBody(): void {
  // There is nothing to give up.
}
