/**
 * The state word of a lane: the epoch (how often its worker was replaced) and whether the lane takes
 * records. One word, so that a writer learns both by one comparison: a writer of an older epoch
 * finds its lane closed. Only the gateway stores it.
 */
import type { Arena } from './arena.ts'
import type { Direction } from './layout.ts'

const CLOSED = 1

/** The state word of an open lane in an epoch; open in epoch 0 is 0, the content of a new arena. */
export function openState(epoch: number): number {
  return (epoch << 1) | 0
}

/** Makes `tryClaim` of the lane's writer fail from now on; what is committed stays readable. */
export function closeLane(arena: Arena, shard: number, direction: Direction): void {
  const { state } = arena.layout.lane(shard, direction)
  // order: a writer that has not seen this yet may commit once more; the reader drains after the
  // writer's end, so no order between the two is needed.
  Atomics.or(arena.words, state, CLOSED)
}

/** Empties the lane and opens it for a new epoch; neither its writer nor its reader may be at work. */
export function resetLane(arena: Arena, shard: number, direction: Direction, epoch: number): void {
  const lane = arena.layout.lane(shard, direction)
  // order: no other thread looks at the lane before the new worker starts, and starting a thread
  // orders everything before it.
  Atomics.store(arena.words, lane.writeSequence, 0)
  Atomics.store(arena.words, lane.origin, 0)
  Atomics.store(arena.words, lane.readSequence, 0)
  Atomics.store(arena.words, lane.state, openState(epoch))
}

/** Tells whether the lane holds records that were committed and not released; exact on the reader's thread. */
export function hasUnread(arena: Arena, shard: number, direction: Direction): boolean {
  const lane = arena.layout.lane(shard, direction)
  // order: a load that comes too early misses a record whose mark is still to come; see DoorbellWaiter.
  return (
    Atomics.load(arena.words, lane.writeSequence) !== Atomics.load(arena.words, lane.readSequence)
  )
}
