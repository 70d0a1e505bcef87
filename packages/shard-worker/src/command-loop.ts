/**
 * The life of a worker thread: sleep until the doorbell rings, take the commands of every shard
 * that has some, start a commit, sleep again. Stage 4 to 7 hang off it. It stops taking commands
 * while the way back is full, so that pressure reaches the publishers instead of memory.
 */
import { readCommand, type Command, type ShardIndex } from '@bellwire/common'
import type { DrainedLane, LaneWaiter } from '@bellwire/common/ring'
import type { GroupCommit } from './group-commit.ts'
import type { Outbox } from './outbox.ts'

/** What the loop needs of the thread's end of the ring. */
export interface CommandLanes {
  commandReader(shard: ShardIndex): DrainedLane
  readonly waiter: LaneWaiter
}

/** Commands of one shard in a row before the others get their turn. */
const COMMANDS_PER_VISIT = 512

export class CommandLoop {
  readonly #lanes: CommandLanes
  readonly #outbox: Outbox
  readonly #groupCommit: GroupCommit
  readonly #handle: (shard: number, command: Command) => void

  constructor(
    lanes: CommandLanes,
    outbox: Outbox,
    groupCommit: GroupCommit,
    handle: (shard: number, command: Command) => void,
  ) {
    this.#lanes = lanes
    this.#outbox = outbox
    this.#groupCommit = groupCommit
    this.#handle = handle
  }

  /** Runs until the waiter is closed. */
  async run(): Promise<void> {
    const { waiter } = this.#lanes
    while (!waiter.closed) {
      this.turn()
      if (this.#outbox.saturated) await this.#outbox.room()
      else if (this.#groupCommit.full) await this.#groupCommit.room()
      else await (waiter.wait() ?? nextTurn())
    }
  }

  /** Takes what is there; one step of the simulation. */
  turn(): void {
    this.#lanes.waiter.takeDirty((shard) => this.#drain(shard))
    this.#groupCommit.flush()
    this.#outbox.ring()
  }

  #drain(shard: ShardIndex): void {
    const lane = this.#lanes.commandReader(shard)
    for (let count = 0; count < COMMANDS_PER_VISIT; count++) {
      if (this.#outbox.saturated || this.#groupCommit.full) break
      if (!lane.peek()) return
      // Handled before the release: the command is read in place.
      this.#handle(shard, readCommand(lane))
      lane.release()
    }
    this.#lanes.waiter.keepDirty(shard)
  }
}

/** Lets timers and the database have their turn. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
