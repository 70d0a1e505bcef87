/** Delivery lanes of two shards on plain memory, with room for a few records only. */
import {
  readDelivery,
  type Delivery,
  type MessageDelivery,
  type RecordWriter,
} from '@bellwire/common'
import type { DeliveryLanes } from '../../src/outbox.ts'

export interface Written {
  readonly shard: number
  readonly delivery: Delivery
}

export class SmallLanes implements DeliveryLanes {
  /** What was written, oldest first; lasts when the lane is emptied. */
  readonly written: Written[] = []
  rings = 0
  readonly #room = new Map<number, number>()
  readonly #roomEach: number

  constructor(roomEach = Number.POSITIVE_INFINITY) {
    this.#roomEach = roomEach
  }

  deliveryWriter(shard: number): RecordWriter {
    return new OneRecord(
      () => (this.#room.get(shard) ?? this.#roomEach) > 0,
      (delivery) => {
        this.#room.set(shard, (this.#room.get(shard) ?? this.#roomEach) - 1)
        this.written.push({ shard, delivery })
      },
    )
  }

  markDelivery(): void {
    // The tests read at once.
  }

  ringGateway(): void {
    this.rings++
  }

  /** The gateway has read the lane of a shard. */
  empty(shard: number): void {
    this.#room.set(shard, this.#roomEach)
  }

  messages(): readonly MessageDelivery[] {
    return this.written.map(({ delivery }) => delivery).filter((each) => each.kind === 'message')
  }
}

class OneRecord implements RecordWriter {
  bytes = Buffer.alloc(0)
  view: DataView = new DataView(new ArrayBuffer(0))
  readonly offset = 0
  readonly #hasRoom: () => boolean
  readonly #onCommit: (delivery: Delivery) => void

  constructor(hasRoom: () => boolean, onCommit: (delivery: Delivery) => void) {
    this.#hasRoom = hasRoom
    this.#onCommit = onCommit
  }

  tryClaim(byteLength: number): boolean {
    if (!this.#hasRoom()) return false
    const memory = new ArrayBuffer(byteLength)
    this.bytes = Buffer.from(memory)
    this.view = new DataView(memory)
    return true
  }

  commit(): void {
    const { bytes, view } = this
    this.#onCommit(readDelivery({ bytes, view, offset: 0, length: bytes.length }))
  }
}
