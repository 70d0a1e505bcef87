/**
 * The gateway's end of all ring channels: command writers, delivery readers, doorbells, and the
 * lifecycle of each worker thread's lanes. Runs on the main thread. The supervisor gives each new
 * worker its seat; the router writes commands; the delivery pump reads.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { PushError } from '../errors.ts'
import type { ShardIndex } from '../ids.ts'
import { threadOf } from '../shard-map.ts'
import type { Direction } from './layout.ts'
import { openArena, type Arena, type ArenaDescriptor } from './arena.ts'
import { DoorbellWaiter } from './doorbell-waiter.ts'
import { AWAKE, Doorbell } from './doorbell.ts'
import { LaneReader } from './lane-reader.ts'
import { closeLane, hasUnread, resetLane } from './lane-state.ts'
import { LaneWriter } from './lane-writer.ts'
import { TransferReceiver, TransferSender } from './transfer.ts'
import type { RingSeat } from './worker-ring.ts'

/** What the gateway holds for one incarnation of a worker thread. */
interface ThreadSide {
  readonly epoch: number
  readonly doorbell: Doorbell
  readonly gatewayPort: MessagePort
  readonly workerPort: MessagePort
  readonly sender: TransferSender
  readonly receiver: TransferReceiver
}

export class GatewayRing {
  /** Sleeps until a worker rings; names the shards whose delivery lanes have records. */
  readonly waiter: DoorbellWaiter

  readonly #descriptor: ArenaDescriptor
  readonly #arena: Arena
  readonly #threads: ThreadSide[] = []
  /** Made at first use: 4,096 shards that nobody uses cost nothing. */
  readonly #writers: (LaneWriter | undefined)[] = []
  readonly #readers: (LaneReader | undefined)[] = []
  /** Threads with marks since the last `ringThreads`. */
  readonly #unrung = new Set<number>()

  constructor(descriptor: ArenaDescriptor) {
    this.#descriptor = descriptor
    this.#arena = openArena(descriptor)
    this.waiter = new DoorbellWaiter(this.#arena, this.#arena.layout.gatewayBell(), {
      direction: 'delivery',
      first: 0,
      step: 1,
    })
    for (let thread = 0; thread < descriptor.threadCount; thread++) {
      this.#threads.push(this.#threadSide(thread, 0))
    }
  }

  /** The writer of a shard's command lane; ask again after `resetThread`, an older one stays closed. O(1). */
  commandWriter(shard: ShardIndex): LaneWriter {
    return (this.#writers[shard] ??= this.#createWriter(shard))
  }

  /** The reader of a shard's delivery lane; ask again after `resetThread`. O(1). */
  deliveryReader(shard: ShardIndex): LaneReader {
    return (this.#readers[shard] ??= this.#createReader(shard))
  }

  /** Notes that a command was committed for the shard; its thread wakes at the next `ringThreads`. */
  markCommand(shard: ShardIndex): void {
    const thread = threadOf(shard, this.#descriptor.threadCount)
    this.#thread(thread).doorbell.mark(shard)
    this.#unrung.add(thread)
  }

  /** Wakes each thread that has marks since the last call, once; call at the end of a tick. */
  ringThreads(): void {
    for (const thread of this.#unrung) this.#thread(thread).doorbell.ring()
    this.#unrung.clear()
  }

  /** What a new worker needs, as workerData; `port` goes into the transfer list. Good for one worker. */
  seatFor(thread: number): RingSeat {
    const { epoch, workerPort } = this.#thread(thread)
    return { arena: this.#descriptor, thread, epoch, port: workerPort }
  }

  /** Closes the lanes of a thread: commands are refused, what the worker committed stays readable. */
  closeThread(thread: number): void {
    for (const shard of this.#shardsOf(thread)) {
      closeLane(this.#arena, shard, 'command')
      closeLane(this.#arena, shard, 'delivery')
    }
  }

  /**
   * Empties and opens a thread's lanes in a new epoch, for its next worker. Commands that the dead
   * worker did not release are gone. Call after the worker's end and after its deliveries are read.
   *
   * @throws {PushError} INTERNAL when a delivery lane still holds records.
   */
  resetThread(thread: number): void {
    const { epoch, gatewayPort } = this.#thread(thread)
    const shards = this.#shardsOf(thread)
    for (const shard of shards) {
      if (hasUnread(this.#arena, shard, 'delivery')) {
        throw new PushError(
          'INTERNAL',
          `Cannot reset thread ${thread}: shard ${shard} has unread deliveries`,
        )
      }
    }
    gatewayPort.close()
    for (const shard of shards) {
      resetLane(this.#arena, shard, 'command', epoch + 1)
      resetLane(this.#arena, shard, 'delivery', epoch + 1)
      this.#writers[shard] = undefined
      this.#readers[shard] = undefined
    }
    this.#resetThreadWords(thread)
    this.#threads[thread] = this.#threadSide(thread, epoch + 1)
  }

  /** Bytes that wait in all lanes of one direction, each read without a lock: good for a metric. */
  depthGuess(direction: Direction): number {
    const ends = direction === 'command' ? this.#writers : this.#readers
    let depth = 0
    for (const end of ends) depth += end?.depthGuess() ?? 0
    return depth
  }

  /** Ends the wait for deliveries and closes the ports, so that the process can end. */
  close(): void {
    this.waiter.close()
    for (const { gatewayPort } of this.#threads) gatewayPort.close()
  }

  #resetThreadWords(thread: number): void {
    const { words, layout } = this.#arena
    const bell = layout.threadBell(thread)
    // order: the thread is dead and the next one starts after this, as in resetLane.
    Atomics.store(words, bell.sleeping, AWAKE)
    words.fill(0, bell.bitmap, bell.bitmap + bell.bitmapLength)
    Atomics.store(words, layout.outstanding(thread, 'command'), 0)
    Atomics.store(words, layout.outstanding(thread, 'delivery'), 0)
  }

  #threadSide(thread: number, epoch: number): ThreadSide {
    const { port1, port2 } = new MessageChannel()
    return {
      epoch,
      doorbell: new Doorbell(this.#arena, this.#arena.layout.threadBell(thread)),
      gatewayPort: port1,
      workerPort: port2,
      sender: new TransferSender(this.#arena, thread, 'command', port1),
      receiver: new TransferReceiver(this.#arena, thread, 'delivery', port1),
    }
  }

  #createWriter(shard: ShardIndex): LaneWriter {
    const { epoch, sender } = this.#threadOfShard(shard)
    return new LaneWriter({
      arena: this.#arena,
      shard,
      direction: 'command',
      epoch,
      transfer: sender,
    })
  }

  #createReader(shard: ShardIndex): LaneReader {
    const { receiver } = this.#threadOfShard(shard)
    return new LaneReader({ arena: this.#arena, shard, direction: 'delivery', transfer: receiver })
  }

  #threadOfShard(shard: ShardIndex): ThreadSide {
    return this.#thread(threadOf(shard, this.#descriptor.threadCount))
  }

  #thread(thread: number): ThreadSide {
    const side = this.#threads[thread]
    if (side === undefined) throw new PushError('INTERNAL', `No thread ${thread}`)
    return side
  }

  #shardsOf(thread: number): ShardIndex[] {
    const { shardCount, threadCount } = this.#descriptor
    const shards: ShardIndex[] = []
    for (let shard = thread; shard < shardCount; shard += threadCount) {
      shards.push(shard as ShardIndex)
    }
    return shards
  }
}
