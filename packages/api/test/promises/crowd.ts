/** Many streams of one user in a process of its own; opens and counts as its parent orders. */
import { offerStream, StreamClient } from '../support/ws-client.ts'

export type CrowdOrder =
  | {
      readonly port: number
      readonly token: string
      readonly count: number
      readonly localAddress: string
    }
  | { readonly waitFor: string }

export interface Crowd {
  readonly open: number
  /** Of the last order: ended, or were answered otherwise than with 101. */
  readonly refused: number
  /** Streams that got the message that was waited for. */
  readonly delivered: number
}

const AT_ONCE = 50

const streams: StreamClient[] = []

async function carryOut(order: CrowdOrder): Promise<Crowd> {
  if ('waitFor' in order) {
    const open = streams.filter((stream) => !stream.isClosed)
    await Promise.all(
      open.map((stream) => stream.until(() => stream.texts.includes(order.waitFor))),
    )
    return { open: open.length, refused: 0, delivered: open.length }
  }
  const { port, token, localAddress } = order
  let left = order.count
  let refused = 0
  const openSome = async (): Promise<void> => {
    while (left-- > 0) {
      const result = await offerStream(port, { token, localAddress })
      if (result instanceof StreamClient) streams.push(result)
      else refused++
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, openSome))
  return { open: streams.length, refused, delivered: 0 }
}

process.on('message', (order: CrowdOrder) => {
  void carryOut(order).then((crowd) => process.send?.(crowd))
})
