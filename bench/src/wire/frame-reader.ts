/**
 * Cuts the bytes of one server's WebSocket stream into frames. Runs in the agents, once a socket, so an
 * idle reader holds nothing but two words; bytes are copied only when a frame is split over two reads.
 * Servers never mask (RFC 6455, 5.1) and Gotify never fragments, so neither is handled.
 */
export const OPCODE_TEXT = 1
export const OPCODE_CLOSE = 8
export const OPCODE_PING = 9

/** Called with the payload of one whole frame; the bytes are valid during the call only. */
export type FrameHandler = (opcode: number, payload: Buffer) => void

export class FrameReader {
  #rest: Buffer | null = null

  /** Hands every whole frame in `chunk` to `onFrame`, in order, and keeps a copy of what is left over. */
  push(chunk: Buffer, onFrame: FrameHandler): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = null
    let position = 0
    while (position + 2 <= bytes.length) {
      const short = bytes.readUInt8(position + 1) & 127
      const headerLength = short === 126 ? 4 : short === 127 ? 10 : 2
      if (position + headerLength > bytes.length) break
      const length = payloadLength(bytes, position, short)
      const end = position + headerLength + length
      if (end > bytes.length) break
      onFrame(bytes.readUInt8(position) & 15, bytes.subarray(position + headerLength, end))
      position = end
    }
    if (position < bytes.length) this.#rest = Buffer.from(bytes.subarray(position))
  }
}

function payloadLength(bytes: Buffer, position: number, short: number): number {
  if (short < 126) return short
  if (short === 126) return bytes.readUInt16BE(position + 2)
  return Number(bytes.readBigUInt64BE(position + 2))
}

/** The pong that answers a ping, masked with zeros: a client frame must be masked, the key may be anything. */
export function pongFrame(payload: Buffer): Buffer {
  const frame = Buffer.alloc(6 + payload.length)
  frame[0] = 0x8a
  frame[1] = 0x80 | payload.length
  payload.copy(frame, 6)
  return frame
}
