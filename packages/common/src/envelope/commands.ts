/**
 * Commands: what the gateway asks of a shard, as bytes in the command lane. Written by the gateway
 * thread, read by the shard's worker thread. Numbers are little endian; ids travel as float64,
 * which holds every safe integer exactly.
 */
import type { ApplicationId, ClientId, ConnectionNumber, CorrelationId, UserId } from '../ids.ts'
import { checkBounds, EnvelopeError, type RecordReader, type RecordWriter } from './record.ts'

/** How a publish body is to be read, decided from the Content-Type. */
export const BODY_KINDS = ['query', 'json', 'form', 'multipart'] as const
export type BodyKind = (typeof BODY_KINDS)[number]

export interface PublishCommand extends Publish {
  readonly kind: 'publish'
  readonly correlationId: CorrelationId
}

/** A message on its way to its shard, as its sender wrote it. */
export interface Publish {
  readonly userId: UserId
  /** 0: the sender is no application, the body must name one of the user's. */
  readonly applicationId: ApplicationId | 0
  /** UTF-8; title of a message that has none. */
  readonly applicationName: Uint8Array
  readonly defaultPriority: number
  readonly bodyKind: BodyKind
  /** Only for multipart, which needs its boundary. */
  readonly contentType: string
  readonly query: string
  /** '' when the request had none. */
  readonly idempotencyKey: string
  /** When the gateway took the request, as monotonicMs() tells it. */
  readonly receivedAt: number
  /** Read in place: valid until the record is released. */
  readonly body: Uint8Array
}

export interface SubscribeCommand {
  readonly kind: 'subscribe'
  readonly connection: ConnectionNumber
  readonly userId: UserId
  /** 0 for a connection opened with a password: only the end of the user closes it. */
  readonly clientId: ClientId | 0
  /** Last id the connection has; null starts at now. */
  readonly after: number | null
  /** True for an open connection whose worker was restarted: it is never refused. */
  readonly resume: boolean
}

export interface UnsubscribeCommand {
  readonly kind: 'unsubscribe'
  readonly connection: ConnectionNumber
  readonly userId: UserId
}

export interface CatchUpCommand {
  readonly kind: 'catch-up'
  readonly connection: ConnectionNumber
  readonly userId: UserId
  readonly cursor: number
}

/** Close the connections of one client, or with client id 0 of the whole user. */
export interface RevokeCommand {
  readonly kind: 'revoke'
  readonly userId: UserId
  readonly clientId: ClientId | 0
}

/** Another process committed: the user's newest id is at least this. */
export interface HintCommand {
  readonly kind: 'hint'
  readonly userId: UserId
  readonly messageId: number
}

/** Proof of life: commit something small and send it back. */
export interface CanaryCommand {
  readonly kind: 'canary'
  readonly thread: number
}

/** A command that concerns a user, and no publish. */
export type UserCommand =
  SubscribeCommand | UnsubscribeCommand | CatchUpCommand | RevokeCommand | HintCommand

export type Command = PublishCommand | CanaryCommand | UserCommand

const KIND = {
  publish: 1,
  subscribe: 2,
  unsubscribe: 3,
  'catch-up': 4,
  revoke: 5,
  hint: 6,
  canary: 7,
} as const

const PUBLISH_HEADER = 64
const CONNECTION_RECORD = 40
const NO_CURSOR = -1

/**
 * Writes a command into a lane. The caller rings the doorbell.
 * @returns false when the lane has no room; nothing was written then.
 */
export function writeCommand(lane: RecordWriter, command: Command): boolean {
  return command.kind === 'publish'
    ? writePublish(lane, command.correlationId, command)
    : writeSmall(lane, command)
}

/**
 * Writes a publish command: 64 bytes of header, then name, content type, query, key and body end
 * to end.
 * @returns false when the lane has no room; nothing was written then.
 */
export function writePublish(
  lane: RecordWriter,
  correlationId: CorrelationId,
  publish: Publish,
): boolean {
  const { applicationName, contentType, query, idempotencyKey, body } = publish
  const contentTypeLength = Buffer.byteLength(contentType)
  const queryLength = Buffer.byteLength(query)
  const keyLength = Buffer.byteLength(idempotencyKey)
  const texts = applicationName.length + contentTypeLength + queryLength + keyLength
  if (!lane.tryClaim(PUBLISH_HEADER + texts + body.length)) return false

  const { bytes, view, offset } = lane
  view.setUint8(offset, KIND.publish)
  view.setUint8(offset + 1, BODY_KINDS.indexOf(publish.bodyKind))
  view.setUint32(offset + 4, correlationId, true)
  view.setFloat64(offset + 8, publish.userId, true)
  view.setFloat64(offset + 16, publish.applicationId, true)
  view.setFloat64(offset + 24, publish.defaultPriority, true)
  view.setFloat64(offset + 32, publish.receivedAt, true)
  view.setUint32(offset + 40, applicationName.length, true)
  view.setUint32(offset + 44, contentTypeLength, true)
  view.setUint32(offset + 48, queryLength, true)
  view.setUint32(offset + 52, keyLength, true)
  view.setUint32(offset + 56, body.length, true)

  let position = offset + PUBLISH_HEADER
  bytes.set(applicationName, position)
  position += applicationName.length
  position += bytes.write(contentType, position)
  position += bytes.write(query, position)
  position += bytes.write(idempotencyKey, position)
  bytes.set(body, position)
  lane.commit()
  return true
}

function writeSmall(lane: RecordWriter, command: Exclude<Command, PublishCommand>): boolean {
  if (!lane.tryClaim(CONNECTION_RECORD)) return false
  const { view, offset } = lane
  view.setUint8(offset, KIND[command.kind])
  view.setUint8(offset + 1, command.kind === 'subscribe' && command.resume ? 1 : 0)
  view.setUint32(offset + 4, subjectOf(command), true)
  view.setFloat64(offset + 8, 'userId' in command ? command.userId : 0, true)
  view.setFloat64(offset + 16, 'clientId' in command ? command.clientId : 0, true)
  view.setFloat64(offset + 24, positionOf(command), true)
  lane.commit()
  return true
}

function subjectOf(command: Exclude<Command, PublishCommand>): number {
  if ('connection' in command) return command.connection
  return command.kind === 'canary' ? command.thread : 0
}

function positionOf(command: Exclude<Command, PublishCommand>): number {
  switch (command.kind) {
    case 'subscribe':
      return command.after ?? NO_CURSOR
    case 'catch-up':
      return command.cursor
    case 'hint':
      return command.messageId
    case 'unsubscribe':
    case 'revoke':
    case 'canary':
      return 0
  }
}

/** @throws {EnvelopeError} when the record is no command. */
export function readCommand(record: RecordReader): Command {
  checkBounds(record, 0, CONNECTION_RECORD)
  const { view, offset } = record
  const kind = view.getUint8(offset)
  const userId = view.getFloat64(offset + 8, true) as UserId
  const connection = view.getUint32(offset + 4, true) as ConnectionNumber
  const clientId = view.getFloat64(offset + 16, true) as ClientId | 0
  const position = view.getFloat64(offset + 24, true)
  switch (kind) {
    case KIND.publish:
      return readPublish(record, userId)
    case KIND.subscribe: {
      const after = position === NO_CURSOR ? null : position
      const resume = view.getUint8(offset + 1) === 1
      return { kind: 'subscribe', connection, userId, clientId, after, resume }
    }
    case KIND.unsubscribe:
      return { kind: 'unsubscribe', connection, userId }
    case KIND['catch-up']:
      return { kind: 'catch-up', connection, userId, cursor: position }
    case KIND.revoke:
      return { kind: 'revoke', userId, clientId }
    case KIND.hint:
      return { kind: 'hint', userId, messageId: position }
    case KIND.canary:
      return { kind: 'canary', thread: connection }
    default:
      throw new EnvelopeError(`Envelope kind ${kind} is no command`)
  }
}

function readPublish(record: RecordReader, userId: UserId): PublishCommand {
  checkBounds(record, 0, PUBLISH_HEADER)
  const { bytes, view, offset } = record
  const bodyKind = BODY_KINDS[view.getUint8(offset + 1)]
  if (bodyKind === undefined) throw new EnvelopeError('Body kind of a publish is unknown')
  const nameLength = view.getUint32(offset + 40, true)
  const contentTypeLength = view.getUint32(offset + 44, true)
  const queryLength = view.getUint32(offset + 48, true)
  const keyLength = view.getUint32(offset + 52, true)
  const bodyLength = view.getUint32(offset + 56, true)
  const texts = nameLength + contentTypeLength + queryLength + keyLength
  checkBounds(record, PUBLISH_HEADER, texts + bodyLength)

  const name = offset + PUBLISH_HEADER
  const contentType = name + nameLength
  const query = contentType + contentTypeLength
  const key = query + queryLength
  const body = key + keyLength
  return {
    kind: 'publish',
    correlationId: view.getUint32(offset + 4, true) as CorrelationId,
    userId,
    applicationId: view.getFloat64(offset + 16, true) as ApplicationId | 0,
    applicationName: bytes.subarray(name, contentType),
    defaultPriority: view.getFloat64(offset + 24, true),
    bodyKind,
    contentType: contentTypeLength === 0 ? '' : bytes.toString('utf8', contentType, query),
    query: queryLength === 0 ? '' : bytes.toString('utf8', query, key),
    idempotencyKey: keyLength === 0 ? '' : bytes.toString('utf8', key, body),
    receivedAt: view.getFloat64(offset + 32, true),
    body: bytes.subarray(body, body + bodyLength),
  }
}
