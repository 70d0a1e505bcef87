/**
 * The middle of the gateway: everything between the endpoints and the lanes, put together. Main
 * thread. The simulation builds the same flow around lanes and sockets that it moves by hand.
 */
import type { ShardIndex, UserId } from '@bellwire/common'
import { Canaries } from './health/canaries.ts'
import { DeliveryPump, type DeliveryLanes } from './delivery/delivery-pump.ts'
import { PendingReplies } from './shards/pending-replies.ts'
import { ShardRouter, type CommandLanes } from './shards/shard-router.ts'
import type { StreamLimits } from './stream/connection.ts'
import { Connections, type StreamMeter } from './stream/connections.ts'
import { Openings } from './stream/opening.ts'

export interface MessageFlowOptions {
  readonly lanes: CommandLanes & DeliveryLanes
  readonly shardCount: number
  readonly threadCount: number
  readonly limits: StreamLimits
  readonly meter: StreamMeter
}

export class MessageFlow {
  readonly pending = new PendingReplies()
  readonly openings: Openings
  readonly router: ShardRouter
  readonly canaries: Canaries
  readonly connections: Connections
  readonly pump: DeliveryPump

  constructor({ lanes, shardCount, threadCount, limits, meter }: MessageFlowOptions) {
    this.router = new ShardRouter({ lanes, shardCount, threadCount, pending: this.pending })
    this.openings = new Openings((connection, userId) => {
      this.router.send({ kind: 'unsubscribe', connection, userId })
    })
    this.canaries = new Canaries(threadCount, (thread) => this.router.sendCanary(thread))
    this.connections = new Connections(limits, this.router, meter)
    this.pump = new DeliveryPump(lanes, this.pending, (delivery) => {
      if (delivery.kind === 'subscribed') {
        const { connection, behind } = delivery
        if (!this.openings.registered(delivery)) this.connections.resumed(connection, behind)
      } else if (delivery.kind === 'refused') {
        this.openings.refused(delivery)
      } else if (delivery.kind === 'canary') {
        this.canaries.answered(delivery)
      } else {
        if (delivery.kind === 'close') this.openings.revoked(delivery.connections)
        this.connections.deliver(delivery)
      }
    })
  }

  /** The worker of a thread is dead and all it wrote was read: fail what still waits for it. */
  threadDied(thread: number): void {
    this.pending.failThread(thread)
    this.router.forgetThread(thread)
    this.canaries.forget(thread)
    this.openings.failFor((userId) => this.#isOn(thread, userId))
  }

  /** The lanes of the thread are open again. */
  threadReplaced(thread: number): void {
    this.connections.resubscribe((userId) => this.#isOn(thread, userId))
    this.router.repeatRevokes(thread)
  }

  drainShard(shard: ShardIndex): void {
    this.pump.drainShard(shard)
  }

  close(): void {
    this.pending.close()
    this.openings.close()
    this.router.close()
  }

  #isOn(thread: number, userId: UserId): boolean {
    return this.router.threadOfUser(userId) === thread
  }
}
