export { systemClock, type Clock } from './clock.ts'
export { ERROR_CODES, ERROR_TABLE, PushError, type ErrorCode } from './errors.ts'
export type {
  ApplicationId,
  ClientId,
  ConnectionNumber,
  CorrelationId,
  MessageId,
  ShardIndex,
  UserId,
} from './ids.ts'
export type {
  ApplicationPrincipal,
  ClientPrincipal,
  Principal,
  UserPrincipal,
} from './principal.ts'
export { shardOf, threadOf } from './shard-map.ts'
