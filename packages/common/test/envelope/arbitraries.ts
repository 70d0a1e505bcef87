/** Every kind of envelope with any content, for property tests. */
import fc from 'fast-check'
import { BODY_KINDS, type Command } from '../../src/envelope/commands.ts'
import type { Delivery } from '../../src/envelope/deliveries.ts'
import { ERROR_CODES } from '../../src/errors.ts'
import type {
  ApplicationId,
  ClientId,
  ConnectionNumber,
  CorrelationId,
  UserId,
} from '../../src/ids.ts'

/** A record as the codec makes one: fast-check would make some without a prototype. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true })
}

const id = fc.maxSafeNat()
const userId = id.map((value) => value as UserId)
const clientId = id.map((value) => value as ClientId | 0)
const unsigned32 = fc.nat({ max: 0xffff_ffff })
const connection = unsigned32.map((value) => value as ConnectionNumber)
const correlationId = unsigned32.map((value) => value as CorrelationId)
const connections = fc.array(connection, { maxLength: 50 })
const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array))
const text = fc.string({ unit: 'grapheme', maxLength: 60 })

export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  record({
    kind: fc.constant('publish' as const),
    correlationId,
    userId,
    applicationId: id.map((value) => value as ApplicationId | 0),
    applicationName: bytes,
    defaultPriority: fc.maxSafeInteger(),
    bodyKind: fc.constantFrom(...BODY_KINDS),
    contentType: text,
    query: text,
    idempotencyKey: text,
    receivedAt: id,
    body: bytes,
  }),
  record({
    kind: fc.constant('subscribe' as const),
    connection,
    userId,
    clientId,
    after: fc.option(id),
    resume: fc.boolean(),
  }),
  record({ kind: fc.constant('unsubscribe' as const), connection, userId }),
  record({ kind: fc.constant('catch-up' as const), connection, userId, cursor: id }),
  record({ kind: fc.constant('revoke' as const), userId, clientId }),
  record({ kind: fc.constant('hint' as const), userId, messageId: id }),
)

const code = fc.constantFrom(...ERROR_CODES)

export const anyDelivery: fc.Arbitrary<Delivery> = fc.oneof(
  record({
    kind: fc.constant('message' as const),
    correlationId,
    messageId: id,
    connections,
    frame: bytes,
  }),
  record({ kind: fc.constant('failure' as const), correlationId, code, description: text }),
  record({
    kind: fc.constant('subscribed' as const),
    connection,
    cursor: id,
    behind: fc.boolean(),
  }),
  record({ kind: fc.constant('refused' as const), connection, code, description: text }),
  record({ kind: fc.constant('page-row' as const), connection, messageId: id, frame: bytes }),
  record({ kind: fc.constant('page-end' as const), connection, atHead: fc.boolean() }),
  record({ kind: fc.constant('close' as const), connections }),
)
