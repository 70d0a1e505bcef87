/**
 * Stage 8 of the flow: takes what the shards deliver out of the lanes, answers publishers and
 * hands frames to connections. Main thread. It gives way to the sockets after a bounded run.
 */
import { PushError, readDelivery, type Delivery, type ShardIndex } from '@bellwire/common'
import type { DrainedLane, LaneWaiter } from '@bellwire/common/ring'
import type { PendingReplies } from '../shards/pending-replies.ts'

/** What the pump needs of the gateway's end of the ring. */
export interface DeliveryLanes {
  deliveryReader(shard: ShardIndex): DrainedLane
  readonly waiter: LaneWaiter
}

/** Everything but the answers to publishers. */
export type StreamDelivery = Exclude<Delivery, { kind: 'failure' }>

/** Records of one shard in a row before the others, and the sockets, get their turn. */
const RECORDS_PER_VISIT = 256

export class DeliveryPump {
  readonly #lanes: DeliveryLanes
  readonly #pending: PendingReplies
  readonly #deliver: (delivery: StreamDelivery) => void

  constructor(
    lanes: DeliveryLanes,
    pending: PendingReplies,
    deliver: (delivery: StreamDelivery) => void,
  ) {
    this.#lanes = lanes
    this.#pending = pending
    this.#deliver = deliver
  }

  /** Runs until the waiter is closed. */
  async run(): Promise<void> {
    const { waiter } = this.#lanes
    while (!waiter.closed) {
      this.turn()
      await (waiter.wait() ?? nextTurn())
    }
  }

  /** Takes what is there, bounded; one step of the simulation. */
  turn(): void {
    this.#lanes.waiter.takeDirty((shard) => {
      if (!this.#drain(shard, RECORDS_PER_VISIT)) this.#lanes.waiter.keepDirty(shard)
    })
  }

  /** Takes all that a shard has left, as after the death of its worker. */
  drainShard(shard: ShardIndex): void {
    this.#drain(shard, Number.POSITIVE_INFINITY)
  }

  /** @returns true when the lane is empty. */
  #drain(shard: ShardIndex, most: number): boolean {
    const lane = this.#lanes.deliveryReader(shard)
    for (let count = 0; count < most; count++) {
      if (!lane.peek()) return true
      try {
        this.#handle(readDelivery(lane))
      } finally {
        lane.release()
      }
    }
    return false
  }

  #handle(delivery: Delivery): void {
    if (delivery.kind === 'failure') {
      const { correlationId, code, description } = delivery
      this.#pending.fail(correlationId, new PushError(code, description))
      return
    }
    if (delivery.kind === 'message' && delivery.correlationId !== 0) {
      this.#pending.answer(delivery.correlationId, delivery.frame)
    }
    this.#deliver(delivery)
  }
}

/** Lets the sockets have their turn. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
