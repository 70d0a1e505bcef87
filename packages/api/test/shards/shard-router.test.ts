/** The way into the lanes on a real ring of one shard, with a lane that fills up. */
import type { Command, ConnectionNumber, PublishCommand, UserId } from '@bellwire/common'
import { readCommand, shardOf } from '@bellwire/common'
import { createArena, GatewayRing, WorkerRing } from '@bellwire/common/ring'
import t from 'tap'
import { PendingReplies } from '../../src/shards/pending-replies.ts'
import { ShardRouter } from '../../src/shards/shard-router.ts'

const USER = 1 as UserId
const SHARD = shardOf(USER, 1)

class Scene {
  readonly pending = new PendingReplies()
  readonly router: ShardRouter
  readonly failures: string[] = []
  /** How often the worker was told to look. */
  rings = 0
  readonly #ring: GatewayRing
  #worker: WorkerRing

  constructor(t: { teardown(action: () => void): void }, laneBytes = 1_024) {
    const shape = { shardCount: 1, threadCount: 1, laneBytes }
    this.#ring = new GatewayRing(createArena(shape))
    this.#worker = new WorkerRing(this.#ring.seatFor(0))
    const { pending } = this
    const ring = this.#ring
    const lanes = {
      commandWriter: ring.commandWriter.bind(ring),
      markCommand: ring.markCommand.bind(ring),
      ringThreads: () => {
        this.rings++
        ring.ringThreads()
      },
    }
    this.router = new ShardRouter({ lanes, shardCount: 1, threadCount: 1, pending })
    t.teardown(() => {
      this.router.close()
      pending.close()
      this.#worker.close()
      this.#ring.close()
    })
  }

  publish(bytes: number): boolean {
    const command: Omit<PublishCommand, 'kind' | 'correlationId'> = {
      userId: USER,
      applicationId: 0,
      applicationName: Buffer.alloc(0),
      defaultPriority: 0,
      bodyKind: 'json',
      contentType: '',
      query: '',
      idempotencyKey: '',
      receivedAt: 0,
      body: Buffer.alloc(bytes),
    }
    const error = this.router.publish(command, {
      answered: () => undefined,
      failed: ({ code }) => this.failures.push(code),
    })
    if (error !== null) this.failures.push(error.code)
    return error === null
  }

  /** What the worker finds. */
  read(): Command[] {
    const lane = this.#worker.commandReader(SHARD)
    const commands: Command[] = []
    while (lane.peek()) {
      commands.push(readCommand(lane))
      lane.release()
    }
    return commands
  }

  /** The worker dies and another one takes its place. */
  replaceWorker(): void {
    this.#worker.close()
    this.#ring.closeThread(0)
    this.router.forgetThread(0)
    this.#ring.resetThread(0)
    this.#worker = new WorkerRing(this.#ring.seatFor(0))
    this.router.repeatRevokes(0)
  }
}

function hint(messageId: number): Command & { kind: 'hint' } {
  return { kind: 'hint', userId: USER, messageId }
}

async function nextMillisecond(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5))
}

t.test('ShardRouter.publish() refuses at once what a full lane cannot take', (t) => {
  const scene = new Scene(t)
  let taken = 0
  while (scene.publish(100)) taken++
  t.ok(taken > 0)
  t.strictSame(scene.failures, ['SHARD_SATURATED'])
  t.equal(scene.pending.size, taken, 'nothing waits for what was refused')
  t.equal(scene.read().length, taken)
  t.ok(scene.publish(100))
  t.end()
})

t.test(
  'ShardRouter rings at the end of a turn, and in its middle when it brings many',
  async (t) => {
    const scene = new Scene(t, 16_384)
    for (let count = 0; count < 15; count++) scene.publish(10)
    t.equal(scene.rings, 0, 'one wake-up serves a few commands')
    scene.publish(10)
    t.equal(scene.rings, 1, 'the worker starts while the gateway still reads')
    scene.publish(10)
    await new Promise((resolve) => setImmediate(resolve))
    t.ok(scene.rings > 1, 'the last ones are told of, too')
  },
)

t.test('ShardRouter.send() keeps what a full lane cannot take, in order', async (t) => {
  const scene = new Scene(t)
  const ids = Array.from({ length: 60 }, (_, index) => index + 1)
  for (const id of ids) scene.router.send(hint(id))
  const seen: Command[] = []
  while (seen.length < ids.length) {
    seen.push(...scene.read())
    await nextMillisecond()
  }
  t.strictSame(seen, ids.map(hint))
  scene.router.send(hint(61))
  t.strictSame(scene.read(), [hint(61)])
})

t.test(
  'ShardRouter forgets what waited for a dead worker, and repeats revokes to the next',
  async (t) => {
    const scene = new Scene(t)
    const revoke: Command = { kind: 'revoke', userId: USER, clientId: 7 as never }
    const gone = { kind: 'unsubscribe', userId: USER, connection: 1 as ConnectionNumber } as const
    scene.router.send(revoke)
    for (let count = 0; count < 60; count++) scene.router.send(gone)
    scene.replaceWorker()
    await nextMillisecond()
    t.strictSame(scene.read(), [revoke])
  },
)
