import type { ShardIndex, UserId } from './ids.ts'

/**
 * Tells which logical shard owns a user: the only hash of the system, so every thread and every
 * process agrees. Pure; O(1). User ids are handed out in order, so a multiplicative hash (Knuth,
 * TAOCP 6.4) spreads neighbours; the high bits are the good ones.
 */
export function shardOf(userId: UserId, shardCount: number): ShardIndex {
  const hash = Math.imul(userId, 0x9e3779b1) >>> 0
  return Math.floor((hash / 0x1_0000_0000) * shardCount) as ShardIndex
}

/** Tells which worker thread hosts a shard. */
export function threadOf(shard: ShardIndex, threadCount: number): number {
  return shard % threadCount
}
