/**
 * One run of the simulation: a world drawn from a seed, random operations, the promises checked
 * after each, and at the end everything is let come to rest and checked as a whole.
 */
import type { UserId } from '@bellwire/common'
import { install, type Clock } from '@sinonjs/fake-timers'
import { OPERATIONS, type Operation, type Scene } from './operations.ts'
import { SeededRandom } from '@bellwire/common/seeded-random'
import { World, type WorldOptions } from './world.ts'

export interface RunResult {
  /** What was broken, the first one first. */
  readonly violations: readonly string[]
  /** What had happened until then, the last one last. */
  readonly history: readonly string[]
  readonly frames: number
}

const STEPS = 400
/** Rounds in which everything must have come to rest: far more than any run has needed. */
const ROUNDS_TO_REST = 2_000
/** Rounds in which nothing happens before it counts as rest. */
const ROUNDS_OF_REST = 8
/** Longer than the poll of shards that share the log. */
const POLL_MS = 6_000
/** Turns of the real event loop: what has been promised happens before the next step. */
const nextTurn = setImmediate

export async function simulate(seed: number): Promise<RunResult> {
  const clock = install({
    now: Date.UTC(2026, 0, 1),
    toFake: [
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'clearInterval',
      'setImmediate',
      'clearImmediate',
      'Date',
    ],
  })
  const random = new SeededRandom(seed)
  const world = new World(drawWorld(random))
  try {
    return await new Run(world, random, clock).toTheEnd()
  } finally {
    world.close()
    clock.uninstall()
  }
}

class Run {
  readonly #scene: Scene
  readonly #operations: readonly Operation[]
  readonly #history: string[] = []

  constructor(world: World, random: SeededRandom, clock: Clock) {
    const users = Array.from({ length: 1 + random.below(4) }, (_, index) => (index + 1) as UserId)
    const textLength = random.oneOf(20, 20, 200, 3_000)
    this.#scene = {
      world,
      random,
      clock,
      users,
      textLength,
      leave: [],
      publishes: 0,
      firstClientId: 1,
    }
    // Swarm testing (Groce and others, 2012): a run that leaves things out goes deeper.
    this.#operations = OPERATIONS.map((operation) => {
      const factor = random.oneOf(0, 0.3, 1, 1, 1, 3)
      return { ...operation, weight: operation.weight * Math.max(factor, isNeeded(operation)) }
    })
  }

  async toTheEnd(): Promise<RunResult> {
    const { world } = this.#scene
    const { violations } = world.promises
    for (let step = 0; step < STEPS && violations.length === 0; step++) {
      const operation = this.#draw()
      this.#history.push(`${operation.name} @${world.log.newest}`)
      await this.#run(() => operation.run(this.#scene))
    }
    if (violations.length === 0) await this.#rest()
    if (violations.length === 0) {
      world.promises.atRest(world.sockets)
      world.checkRegistered()
    }
    return { violations, history: this.#history, frames: world.promises.frames }
  }

  async #run(action: () => void): Promise<void> {
    action()
    await new Promise((resolve) => nextTurn(resolve))
    this.#checkMemory()
  }

  #draw(): Operation {
    const total = this.#operations.reduce((sum, { weight }) => sum + weight, 0)
    let at = this.#scene.random.next() * total
    for (const operation of this.#operations) {
      at -= operation.weight
      if (at < 0) return operation
    }
    return this.#draw()
  }

  /** No more faults and nothing new: everything that is on its way arrives. */
  async #rest(): Promise<void> {
    const { world, clock, users } = this.#scene
    this.#history.push('rest')
    await this.#run(() => {
      world.returnDatabase()
      world.workers.forEach((_, thread) => {
        world.startWorker(thread)
        // Where another process writes, a lost session may have committed: its hint will say so.
        if (world.options.shared) world.executeDoubtful(thread)
      })
      if (world.options.shared) for (const userId of users) world.hint(userId)
    })
    let restful = 0
    let polled = false
    for (let round = 0; round < ROUNDS_TO_REST; round++) {
      const before = this.#progress()
      for (const { socket } of [...world.sockets]) socket.readOn()
      for (const worker of world.workers) {
        worker?.turn()
        worker?.store.executeNext()
        worker?.store.answerNext()
        worker?.store.executeRead(0)
        worker?.store.answerRead(0)
      }
      await this.#run(() => world.flow.pump.turn())
      await this.#run(() => clock.tick(restful > 0 ? 110 : 1))
      restful = this.#progress() === before ? restful + 1 : 0
      if (world.promises.violations.length > 0) return
      if (restful < ROUNDS_OF_REST) continue
      if (polled) return
      // After a time of silence comes the slow poll.
      await this.#run(() => clock.tick(POLL_MS))
      polled = true
      restful = 0
    }
    world.promises.demand(false, 'it does not come to rest')
  }

  /** Something that changes as long as there is something to do. */
  #progress(): string {
    const { world } = this.#scene
    const stores = world.workers.map((worker) => worker?.store.answers)
    const { frames } = world.promises
    return JSON.stringify([stores, frames, world.flow.pending.size, world.flow.openings.size])
  }

  #checkMemory(): void {
    const { world } = this.#scene
    const { mostBuffered, bufferLimit } = world
    const text = `a socket holds ${mostBuffered} bytes, more than ${bufferLimit}`
    world.promises.demand(mostBuffered <= bufferLimit, text)
  }
}

function drawWorld(random: SeededRandom): WorldOptions {
  const shardCount = random.oneOf(1, 2, 5)
  return {
    shardCount,
    threadCount: Math.min(shardCount, random.oneOf(1, 2)),
    laneBytes: random.oneOf(1_024, 4_096, 65_536),
    streamLimits: {
      writeBufferSize: random.oneOf(0, 300, 8_192),
      channelBufferSize: random.oneOf(0, 1, 10),
    },
    commitLimits: {
      eagerRows: random.oneOf(1, 2, 16),
      maxRows: random.oneOf(1, 3, 500),
      maxBytes: random.oneOf(500, 4_194_304),
      maxInFlight: random.oneOf(1, 2, 2),
      maxWaitingBytes: random.oneOf(1_000, 16_777_216),
    },
    pageRows: random.oneOf(1, 3, 100),
    pageBytes: random.oneOf(400, 262_144),
    shared: random.chance(0.4),
  }
}

/** Without these nothing would ever happen. */
function isNeeded({ name }: Operation): number {
  return ['publish', 'open', 'gateway turn', 'worker turn', 'commit', 'commit answered'].includes(
    name,
  )
    ? 0.3
    : 0
}
