/**
 * Deliveries: what a shard tells the gateway, as bytes in the delivery lane. Written by the
 * shard's worker thread, read by the gateway thread. Numbers are little endian; ids travel as
 * float64, which holds every safe integer exactly.
 */
import { ERROR_CODES, type ErrorCode } from '../errors.ts'
import type { ConnectionNumber, CorrelationId } from '../ids.ts'
import { checkBounds, EnvelopeError, type RecordReader, type RecordWriter } from './record.ts'

/**
 * A committed message: the answer to its publisher (correlation id other than 0) and the frame
 * for the named connections, which are the same text.
 */
export interface MessageDelivery {
  readonly kind: 'message'
  readonly correlationId: CorrelationId | 0
  readonly messageId: number
  readonly connections: readonly ConnectionNumber[]
  /** The frame: the JSON text and a line feed. Read in place: valid until the record is released. */
  readonly frame: Uint8Array
}

/** A publish that was refused, or whose outcome is unknown (a retryable code). */
export interface FailureDelivery {
  readonly kind: 'failure'
  readonly correlationId: CorrelationId
  readonly code: ErrorCode
  readonly description: string
}

/** The shard's answer to a subscribe: from now on the connection gets what comes after `cursor`. */
export interface SubscribedDelivery {
  readonly kind: 'subscribed'
  readonly connection: ConnectionNumber
  readonly cursor: number
  /** True: the log holds more than the cursor, the connection has to catch up. */
  readonly behind: boolean
}

export interface RefusedDelivery {
  readonly kind: 'refused'
  readonly connection: ConnectionNumber
  readonly code: ErrorCode
  readonly description: string
}

/** One message of a page that a connection catches up with. */
export interface PageRowDelivery {
  readonly kind: 'page-row'
  readonly connection: ConnectionNumber
  readonly messageId: number
  readonly frame: Uint8Array
}

/** The end of a page; `atHead` says that the connection is live again from here on. */
export interface PageEndDelivery {
  readonly kind: 'page-end'
  readonly connection: ConnectionNumber
  readonly atHead: boolean
}

/** The client or user behind these connections is gone. */
export interface CloseDelivery {
  readonly kind: 'close'
  readonly connections: readonly ConnectionNumber[]
}

/** A canary on its way back. */
export interface CanaryDelivery {
  readonly kind: 'canary'
  readonly thread: number
  readonly committed: boolean
}

export type Delivery =
  | MessageDelivery
  | FailureDelivery
  | SubscribedDelivery
  | RefusedDelivery
  | PageRowDelivery
  | PageEndDelivery
  | CloseDelivery
  | CanaryDelivery

const KIND = {
  message: 1,
  failure: 2,
  subscribed: 3,
  refused: 4,
  'page-row': 5,
  'page-end': 6,
  close: 7,
  canary: 8,
} as const

const HEADER = 24
/** Connections one record may name, so that a fan-out to very many goes as several records. */
export const MAX_CONNECTIONS_PER_DELIVERY = 2_000

const NONE: readonly ConnectionNumber[] = Object.freeze([])

/**
 * Writes a delivery into a lane. The caller rings the doorbell.
 * Byte map: kind, code or flag, 2 unused, correlation id or connection (u32), message id or cursor
 * (f64), number of connections (u32), bytes of text (u32), the connections (u32 each), the text.
 * @returns false when the lane has no room; nothing was written then.
 */
export function writeDelivery(lane: RecordWriter, delivery: Delivery): boolean {
  const connections = 'connections' in delivery ? delivery.connections : NONE
  const text = textOf(delivery)
  const textLength = typeof text === 'string' ? Buffer.byteLength(text) : text.length
  if (!lane.tryClaim(HEADER + connections.length * 4 + textLength)) return false

  const { bytes, view, offset } = lane
  view.setUint8(offset, KIND[delivery.kind])
  view.setUint8(offset + 1, flagOf(delivery))
  view.setUint32(offset + 4, subjectOf(delivery), true)
  view.setFloat64(offset + 8, positionOf(delivery), true)
  view.setUint32(offset + 16, connections.length, true)
  view.setUint32(offset + 20, textLength, true)
  let position = offset + HEADER
  for (const connection of connections) {
    view.setUint32(position, connection, true)
    position += 4
  }
  if (typeof text === 'string') bytes.write(text, position)
  else bytes.set(text, position)
  lane.commit()
  return true
}

function textOf(delivery: Delivery): string | Uint8Array {
  if ('frame' in delivery) return delivery.frame
  return 'description' in delivery ? delivery.description : ''
}

function flagOf(delivery: Delivery): number {
  if ('code' in delivery) return ERROR_CODES.indexOf(delivery.code)
  if (delivery.kind === 'subscribed') return delivery.behind ? 1 : 0
  if (delivery.kind === 'canary') return delivery.committed ? 1 : 0
  return delivery.kind === 'page-end' && delivery.atHead ? 1 : 0
}

function subjectOf(delivery: Delivery): number {
  if ('connection' in delivery) return delivery.connection
  if (delivery.kind === 'canary') return delivery.thread
  return 'correlationId' in delivery ? delivery.correlationId : 0
}

function positionOf(delivery: Delivery): number {
  if ('messageId' in delivery) return delivery.messageId
  return delivery.kind === 'subscribed' ? delivery.cursor : 0
}

/** @throws {EnvelopeError} when the record is no delivery. */
export function readDelivery(record: RecordReader): Delivery {
  checkBounds(record, 0, HEADER)
  const { bytes, view, offset } = record
  const flag = view.getUint8(offset + 1)
  const subject = view.getUint32(offset + 4, true)
  const position = view.getFloat64(offset + 8, true)
  const count = view.getUint32(offset + 16, true)
  const textLength = view.getUint32(offset + 20, true)
  checkBounds(record, HEADER, count * 4 + textLength)
  const text = offset + HEADER + count * 4

  const connection = subject as ConnectionNumber
  switch (view.getUint8(offset)) {
    case KIND.message:
      return {
        kind: 'message',
        correlationId: subject as CorrelationId,
        messageId: position,
        connections: readConnections(record, count),
        frame: bytes.subarray(text, text + textLength),
      }
    case KIND['page-row']: {
      const frame = bytes.subarray(text, text + textLength)
      return { kind: 'page-row', connection, messageId: position, frame }
    }
    case KIND['page-end']:
      return { kind: 'page-end', connection, atHead: flag === 1 }
    case KIND.subscribed:
      return { kind: 'subscribed', connection, cursor: position, behind: flag === 1 }
    case KIND.canary:
      return { kind: 'canary', thread: subject, committed: flag === 1 }
    case KIND.close:
      return { kind: 'close', connections: readConnections(record, count) }
    case KIND.failure: {
      const description = bytes.toString('utf8', text, text + textLength)
      const correlationId = subject as CorrelationId
      return { kind: 'failure', correlationId, code: codeAt(flag), description }
    }
    case KIND.refused: {
      const description = bytes.toString('utf8', text, text + textLength)
      return { kind: 'refused', connection, code: codeAt(flag), description }
    }
    default:
      throw new EnvelopeError(`Envelope kind ${view.getUint8(offset)} is no delivery`)
  }
}

function readConnections(record: RecordReader, count: number): readonly ConnectionNumber[] {
  if (count === 0) return NONE
  const connections = new Array<ConnectionNumber>(count)
  let position = record.offset + HEADER
  for (let index = 0; index < count; index++) {
    connections[index] = record.view.getUint32(position, true) as ConnectionNumber
    position += 4
  }
  return connections
}

function codeAt(position: number): ErrorCode {
  const code = ERROR_CODES[position]
  if (code === undefined) throw new EnvelopeError(`Error code ${position} is unknown`)
  return code
}
