/**
 * What can happen in a simulation, each with how often. A run takes its own weights, so that some
 * runs are all faults, some all slow sockets, and some hardly any of either.
 */
import type { ClientId, UserId } from '@bellwire/common'
import type { Clock } from '@sinonjs/fake-timers'
import { DELETED_APPLICATION } from './memory-log.ts'
import type { SeededRandom } from '@bellwire/common/seeded-random'
import type { OpenSocket, PublishRequest, World } from './world.ts'

export interface Scene {
  readonly world: World
  readonly random: SeededRandom
  readonly clock: Clock
  readonly users: readonly UserId[]
  /** How long messages are, characters. */
  readonly textLength: number
  readonly leave: (() => void)[]
  publishes: number
  /** Of the clients that every user has at the moment. */
  firstClientId: number
}

/** Devices of one user. */
const CLIENTS = 3

export interface Operation {
  readonly name: string
  readonly weight: number
  run(scene: Scene): void
}

export const OPERATIONS: readonly Operation[] = [
  { name: 'publish', weight: 12, run: publish },
  { name: 'open', weight: 3, run: open },
  { name: 'leave before the answer', weight: 1, run: leave },
  { name: 'close', weight: 1, run: (scene) => anySocket(scene)?.socket.close() },
  { name: 'stop reading', weight: 3, run: (scene) => anySocket(scene)?.socket.stopReading() },
  { name: 'read some', weight: 4, run: readSome },
  { name: 'read on', weight: 2, run: (scene) => anySocket(scene)?.socket.readOn() },
  { name: 'gateway turn', weight: 14, run: ({ world }) => world.flow.pump.turn() },
  { name: 'worker turn', weight: 16, run: (scene) => anyWorker(scene)?.turn() },
  { name: 'timers', weight: 6, run: ({ clock }) => clock.tick(0) },
  { name: 'a millisecond', weight: 5, run: ({ clock }) => clock.tick(1) },
  { name: 'a while', weight: 1, run: ({ clock }) => clock.tick(130) },
  { name: 'half a minute', weight: 0.05, run: ({ clock }) => clock.tick(27_000) },
  { name: 'commit', weight: 12, run: (scene) => anyWorker(scene)?.store.executeNext() },
  { name: 'commit answered', weight: 12, run: (scene) => anyWorker(scene)?.store.answerNext() },
  { name: 'read', weight: 8, run: read },
  { name: 'read answered', weight: 8, run: answerRead },
  { name: 'read fails', weight: 0.5, run: failRead },
  { name: 'worker dies', weight: 1, run: killWorker },
  { name: 'worker starts', weight: 3, run: startWorker },
  { name: 'database goes', weight: 0.3, run: ({ world }) => world.loseDatabase() },
  { name: 'connection breaks', weight: 0.3, run: breakConnection },
  { name: 'database is back', weight: 3, run: ({ world }) => world.returnDatabase() },
  { name: 'late commit', weight: 1, run: executeDoubtful },
  { name: 'delete', weight: 1, run: deleteRow },
  { name: 'commit elsewhere', weight: 2, run: commitElsewhere },
  { name: 'revoke', weight: 1.5, run: revoke },
  { name: 'everything moves', weight: 8, run: moveEverything },
  { name: 'hint', weight: 3, run: ({ world, ...scene }) => world.hint(anyUser(scene)) },
]

function publish(scene: Scene): void {
  const { world, random, textLength } = scene
  const userId = anyUser(scene)
  const number = ++scene.publishes
  const length = random.chance(0.1) ? textLength * 20 : random.below(textLength)
  const request: PublishRequest = {
    userId,
    tag: `p${number}`,
    text: random.oneOf('x', 'é', '<', '\u{1f514}').repeat(length),
    key: random.chance(0.25) ? `key ${random.below(12)}` : '',
    applicationId: random.chance(0.03) ? DELETED_APPLICATION : userId,
    form: random.chance(0.15) ? random.oneOf('named', 'multipart') : 'json',
  }
  // A repeat says the same again, most often.
  const repeat = request.key !== '' && random.chance(0.7)
  world.publish(repeat ? { ...request, text: request.key } : request)
}

function open(scene: Scene): void {
  const { world, random, leave } = scene
  const userId = anyUser(scene)
  const clientId = random.chance(0.2) ? 0 : anyClient(scene)
  const after = random.oneOf(
    null,
    random.below(world.log.newest + 1),
    Math.max(0, world.log.headOf(userId) - random.below(4)),
    random.chance(0.1) ? world.log.newest + 1 + random.below(3) : 0,
  )
  leave.push(world.open(userId, clientId, after))
}

function leave({ random, leave: all }: Scene): void {
  const [gone] = all.splice(random.below(all.length), 1)
  gone?.()
}

function readSome(scene: Scene): void {
  anySocket(scene)?.socket.readSome(1 + scene.random.below(2_000))
}

function read(scene: Scene): void {
  const store = anyWorker(scene)?.store
  store?.executeRead(scene.random.below(store.reads))
}

function answerRead(scene: Scene): void {
  const store = anyWorker(scene)?.store
  store?.answerRead(scene.random.below(store.reads))
}

function failRead(scene: Scene): void {
  const store = anyWorker(scene)?.store
  store?.failRead(scene.random.below(store.reads))
}

function killWorker({ world, random }: Scene): void {
  world.killWorker(random.below(world.workers.length))
}

function startWorker({ world, random }: Scene): void {
  world.startWorker(random.below(world.workers.length))
}

function breakConnection({ world, random }: Scene): void {
  world.breakConnection(random.below(world.workers.length))
}

function executeDoubtful({ world, random }: Scene): void {
  world.executeDoubtful(random.below(world.workers.length))
}

function deleteRow({ world, random }: Scene): void {
  const { newest } = world.log
  const recent = random.chance(0.5)
  const row = world.log.row(recent ? newest - random.below(3) : 1 + random.below(newest))
  if (row !== undefined) row.deleted = true
}

function revoke(scene: Scene): void {
  scene.world.revoke(anyUser(scene), anyClient(scene))
  // An id that was deleted is never given out again.
  scene.firstClientId += CLIENTS
}

/** What a server does without a fault in between. */
function moveEverything({ world, clock }: Scene): void {
  world.flow.pump.turn()
  clock.tick(0)
  for (const worker of world.workers) {
    worker?.turn()
    worker?.store.executeNext()
    worker?.store.answerNext()
    worker?.store.executeRead(0)
    worker?.store.answerRead(0)
  }
}

function commitElsewhere(scene: Scene): void {
  if (!scene.world.options.shared) return
  scene.world.commitElsewhere(anyUser(scene), `e${++scene.publishes}`)
}

function anyUser({ random, users }: Pick<Scene, 'random' | 'users'>): UserId {
  return random.pick(users) ?? (1 as UserId)
}

function anyClient({ random, firstClientId }: Scene): ClientId {
  return (firstClientId + random.below(CLIENTS)) as ClientId
}

function anySocket({ world, random }: Scene): OpenSocket | undefined {
  return random.pick([...world.sockets])
}

function anyWorker({ world, random }: Scene): World['workers'][number] | undefined {
  return random.pick(world.workers)
}
