/**
 * What each stage of a publish costs in processor time, without sockets, threads and database:
 * command into and out of a lane, check, encode, batch parameter, delivery into and out of a lane.
 * The sum per thread is the ceiling of publishes a second that this code allows.
 *
 * Run: node bench/dist/src/micro/publish-path.js [seconds a stage]
 */
import {
  monotonicMs,
  encodeMessageTail,
  readCommand,
  readDelivery,
  systemClock,
  writeCommand,
  writeDelivery,
  type ApplicationId,
  type ConnectionNumber,
  type CorrelationId,
  type PublishCommand,
  type ShardIndex,
  type UserId,
} from '@bellwire/common'
import { createArena, GatewayRing, WorkerRing } from '@bellwire/common/ring'
import {
  plainColumns,
  frameOf,
  PublishChecker,
  type NewMessage,
} from '@bellwire/shard-worker/testing'
import { commitName, machineFacts } from '../results/machine.ts'

const SHARD = 0 as ShardIndex
const BATCH = 64
const text = 'x'.repeat(200)
const body = Buffer.from(JSON.stringify({ title: 'Backup', message: text, priority: 5 }))

const command: PublishCommand = {
  kind: 'publish',
  correlationId: 1 as CorrelationId,
  userId: 7 as UserId,
  applicationId: 3 as ApplicationId,
  applicationName: Buffer.from('backup'),
  defaultPriority: 0,
  bodyKind: 'json',
  contentType: '',
  query: '',
  idempotencyKey: '',
  receivedAt: monotonicMs(),
  body,
}

const seconds = Number(process.argv[2] ?? 1)
console.log(`commit ${commitName()}`, machineFacts())
console.log('thread   stage                                      ns a publish')

const gateway = new GatewayRing(createArena({ shardCount: 1, threadCount: 1, laneBytes: 65_536 }))
const worker = new WorkerRing(gateway.seatFor(0))
const checker = new PublishChecker({ application: () => Promise.resolve(null) }, systemClock)
const checked = checker.check(command)
if (checked instanceof Error || checked instanceof Promise) throw new Error('Publish was refused')
const message: NewMessage = checked
const tail = encodeMessageTail(message)
const frame = frameOf(123_456, tail)
const batch = Array.from({ length: BATCH }, () => message)

measure('gateway', 'command: encode into the lane and commit', () => {
  writeCommand(gateway.commandWriter(SHARD), command)
  drop(worker.commandReader(SHARD))
})
measure('worker', 'command: write, then decode in place', () => {
  writeCommand(gateway.commandWriter(SHARD), command)
  const lane = worker.commandReader(SHARD)
  if (lane.peek()) readCommand(lane)
  lane.release()
})
measure('worker', 'check: JSON body to message', () => {
  void checker.check(command)
})
measure('worker', 'encode: tail, then frame', () => {
  frameOf(123_456, encodeMessageTail(message))
})
measure(
  'worker',
  `batch: parameters of ${BATCH} rows, a row`,
  () => {
    plainColumns(batch)
  },
  BATCH,
)
measure('both', 'delivery: into and out of the lane', () => {
  writeDelivery(worker.deliveryWriter(SHARD), {
    kind: 'message',
    correlationId: 1 as CorrelationId,
    messageId: 123_456,
    connections: [9 as ConnectionNumber],
    frame,
  })
  const lane = gateway.deliveryReader(SHARD)
  if (lane.peek()) readDelivery(lane)
  lane.release()
})
worker.close()
gateway.close()

function drop(lane: { peek(): boolean; release(): void }): void {
  lane.peek()
  lane.release()
}

/** @param publishes how many publishes one call stands for */
function measure(thread: string, stage: string, run: () => void, publishes = 1): void {
  const rounds = 2_000
  for (let warm = 0; warm < rounds; warm++) run()
  const until = performance.now() + seconds * 1000
  const samples: number[] = []
  while (performance.now() < until) {
    const start = performance.now()
    for (let round = 0; round < rounds; round++) run()
    samples.push(((performance.now() - start) * 1e6) / rounds / publishes)
  }
  samples.sort((a, b) => a - b)
  // The lowest decile: what the code costs when nobody else has the core.
  const best = samples[Math.floor(samples.length / 10)] ?? 0
  console.log(`${thread.padEnd(8)} ${stage.padEnd(42)} ${best.toFixed(0).padStart(12)}`)
}
