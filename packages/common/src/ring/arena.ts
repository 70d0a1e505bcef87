/**
 * The one block of shared memory that holds every lane of every shard, and each thread's view of it.
 * The gateway creates it before the first worker starts; workers get the descriptor as workerData.
 * One arena and not a buffer a lane: 2,048 buffers of 64 KiB cost 98 MB at once, one arena costs
 * what is touched.
 */
import { ArenaLayout, type ArenaShape } from './layout.ts'

/** What another thread needs to see the arena; can be structured-cloned (the memory is shared, not copied). */
export interface ArenaDescriptor extends ArenaShape {
  readonly buffer: SharedArrayBuffer
}

/** One thread's view of the arena; `bytes` and `view` span all of it, so positions are absolute. */
export interface Arena {
  readonly words: Int32Array<SharedArrayBuffer>
  readonly bytes: Buffer
  readonly view: DataView
  readonly layout: ArenaLayout
}

/**
 * Reserves the memory of all lanes; zeroed memory means: open, empty, epoch 0, nobody asleep.
 *
 * @throws {RangeError} when the shape is out of range (see {@link ArenaLayout}).
 */
export function createArena(shape: ArenaShape): ArenaDescriptor {
  const { shardCount, threadCount, laneBytes } = shape
  const buffer = new SharedArrayBuffer(new ArenaLayout(shape).byteLength)
  return { buffer, shardCount, threadCount, laneBytes }
}

/** Makes this thread's view of an arena. */
export function openArena(descriptor: ArenaDescriptor): Arena {
  const { buffer } = descriptor
  return {
    words: new Int32Array(buffer),
    bytes: Buffer.from(buffer),
    view: new DataView(buffer),
    layout: new ArenaLayout(descriptor),
  }
}
