/**
 * A worker thread's end of its ring channels: command readers, delivery writers and the two
 * doorbells. Made at the start of the worker from the seat that the gateway gave it; the command
 * loop reads, the fan-out writes.
 */
import type { MessagePort } from 'node:worker_threads'
import type { ShardIndex } from '../ids.ts'
import { openArena, type Arena, type ArenaDescriptor } from './arena.ts'
import { DoorbellWaiter } from './doorbell-waiter.ts'
import { Doorbell } from './doorbell.ts'
import { LaneReader } from './lane-reader.ts'
import { LaneWriter } from './lane-writer.ts'
import { TransferReceiver, TransferSender } from './transfer.ts'
import { waitForRoom } from './wait-for-room.ts'

/** One worker's place at the ring, as workerData; `port` must be in the transfer list. */
export interface RingSeat {
  readonly arena: ArenaDescriptor
  readonly thread: number
  /** Incarnation of the thread; an older worker's lanes are closed to it. */
  readonly epoch: number
  readonly port: MessagePort
}

export class WorkerRing {
  /** Sleeps until the gateway rings; names the shards whose command lanes have records. */
  readonly waiter: DoorbellWaiter

  readonly #arena: Arena
  readonly #seat: RingSeat
  readonly #gatewayBell: Doorbell
  readonly #sender: TransferSender
  readonly #receiver: TransferReceiver
  readonly #readers: (LaneReader | undefined)[] = []
  readonly #writers: (LaneWriter | undefined)[] = []

  constructor(seat: RingSeat) {
    const { thread, port } = seat
    this.#seat = seat
    this.#arena = openArena(seat.arena)
    this.#gatewayBell = new Doorbell(this.#arena, this.#arena.layout.gatewayBell())
    this.#sender = new TransferSender(this.#arena, thread, 'delivery', port)
    this.#receiver = new TransferReceiver(this.#arena, thread, 'command', port)
    this.waiter = new DoorbellWaiter(this.#arena, this.#arena.layout.threadBell(thread), {
      direction: 'command',
      first: thread,
      step: seat.arena.threadCount,
    })
  }

  /** The reader of the command lane of one of this thread's shards. O(1). */
  commandReader(shard: ShardIndex): LaneReader {
    return (this.#readers[shard] ??= new LaneReader({
      arena: this.#arena,
      shard,
      direction: 'command',
      transfer: this.#receiver,
    }))
  }

  /** The writer of the delivery lane of one of this thread's shards. O(1). */
  deliveryWriter(shard: ShardIndex): LaneWriter {
    return (this.#writers[shard] ??= new LaneWriter({
      arena: this.#arena,
      shard,
      direction: 'delivery',
      epoch: this.#seat.epoch,
      transfer: this.#sender,
    }))
  }

  /** Notes that a delivery was committed for the shard; the gateway wakes at the next `ringGateway`. */
  markDelivery(shard: ShardIndex): void {
    this.#gatewayBell.mark(shard)
  }

  /** Wakes the gateway if it sleeps; call after a run of marks. */
  ringGateway(): void {
    this.#gatewayBell.ring()
  }

  /**
   * Waits until the shard's delivery lane has room for a record, without blocking the event loop; rings
   * the gateway first, since nobody else would make it drain.
   *
   * @returns false when the lane is closed; true: a claim made before any other commit succeeds.
   */
  waitForDeliveryRoom(shard: ShardIndex, byteLength: number): Promise<boolean> {
    this.ringGateway()
    return waitForRoom(this.deliveryWriter(shard), byteLength)
  }

  /** Ends the wait for commands and closes the port, so that the thread can end by itself. */
  close(): void {
    this.waiter.close()
    this.#seat.port.close()
  }
}
