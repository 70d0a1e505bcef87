export { monotonicMs, systemClock, type Clock } from './clock.ts'
export { ERROR_CODES, ERROR_TABLE, PushError, type ErrorCode } from './errors.ts'
export { GatheredReads } from './gathered-reads.ts'
export type {
  ApplicationId,
  ClientId,
  ConnectionNumber,
  CorrelationId,
  MessageId,
  ShardIndex,
  UserId,
} from './ids.ts'
export { createLogger, maskSecrets, type CreateLoggerOptions, type Logger } from './log.ts'
export { encodeJson, encodeMessage, encodeMessageTail, type MessageFields } from './message.ts'
export type {
  ApplicationPrincipal,
  ClientPrincipal,
  Principal,
  UserPrincipal,
} from './principal.ts'
export { shardOf, threadOf } from './shard-map.ts'
export {
  BODY_KINDS,
  readCommand,
  writeCommand,
  writePublish,
  type BodyKind,
  type CanaryCommand,
  type CatchUpCommand,
  type Command,
  type HintCommand,
  type Publish,
  type PublishCommand,
  type RevokeCommand,
  type SubscribeCommand,
  type UnsubscribeCommand,
  type UserCommand,
} from './envelope/commands.ts'
export {
  MAX_CONNECTIONS_PER_DELIVERY,
  readDelivery,
  writeDelivery,
  type CanaryDelivery,
  type CloseDelivery,
  type Delivery,
  type FailureDelivery,
  type MessageDelivery,
  type PageEndDelivery,
  type PageRowDelivery,
  type RefusedDelivery,
  type SubscribedDelivery,
} from './envelope/deliveries.ts'
export { EnvelopeError, type RecordReader, type RecordWriter } from './envelope/record.ts'
export { BATCH_ROW_BOUNDS, LATENCY_BOUNDS, ValueCounts, type Counted } from './value-counts.ts'
export type { FromWorker, ToWorker, WorkerReport, WorkerStart } from './worker-control.ts'
