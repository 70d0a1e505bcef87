/** The command lane of one shard on plain memory, filled by a test. */
import { writeCommand, type Command, type ShardIndex } from '@bellwire/common'
import type { DrainedLane, LaneWaiter } from '@bellwire/common/ring'
import type { CommandLanes } from '../../src/command-loop.ts'

export class CommandsByHand implements CommandLanes {
  readonly #records: Buffer[] = []
  readonly waiter: LaneWaiter

  constructor() {
    const records = this.#records
    this.waiter = {
      closed: false,
      takeDirty: (visit) => {
        if (records.length > 0) visit(0 as ShardIndex)
        return records.length
      },
      keepDirty: () => undefined,
      wait: () => null,
    }
  }

  add(command: Command): void {
    let bytes = Buffer.alloc(0)
    const lane = {
      offset: 0,
      get bytes() {
        return bytes
      },
      get view() {
        return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      },
      tryClaim: (byteLength: number) => {
        bytes = Buffer.alloc(byteLength)
        return true
      },
      commit: () => this.#records.push(bytes),
    }
    writeCommand(lane, command)
  }

  commandReader(): DrainedLane {
    return new FirstRecord(this.#records)
  }
}

class FirstRecord implements DrainedLane {
  readonly #records: Buffer[]
  readonly offset = 0

  constructor(records: Buffer[]) {
    this.#records = records
  }

  get bytes(): Buffer {
    return this.#records[0] ?? Buffer.alloc(0)
  }

  get view(): DataView {
    const { buffer, byteOffset, length } = this.bytes
    return new DataView(buffer, byteOffset, length)
  }

  get length(): number {
    return this.bytes.length
  }

  peek(): boolean {
    return this.#records.length > 0
  }

  release(): void {
    this.#records.shift()
  }
}
