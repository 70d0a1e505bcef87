/**
 * Branded numbers, so that a user id cannot be passed where a message id is meant.
 * Every id is a safe integer (clients compare them as JavaScript numbers or Java longs).
 */
declare const brand: unique symbol
type Branded<Name extends string> = number & { readonly [brand]: Name }

export type UserId = Branded<'UserId'>
export type ApplicationId = Branded<'ApplicationId'>
export type ClientId = Branded<'ClientId'>
export type MessageId = Branded<'MessageId'>
/** Index of a logical shard, 0 to the shard count - 1. */
export type ShardIndex = Branded<'ShardIndex'>
/** Number of one open WebSocket: unsigned 32 bits, unique among the open ones of a process. */
export type ConnectionNumber = Branded<'ConnectionNumber'>
/** Joins a reply to its command: unsigned 32 bits, 0 means that no reply is wanted. */
export type CorrelationId = Branded<'CorrelationId'>
