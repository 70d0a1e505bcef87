/** One shard behind its command handler: who is told what, and when. */
import type {
  Command,
  ConnectionNumber,
  CorrelationId,
  Delivery,
  SubscribeCommand,
  UserId,
} from '@bellwire/common'
import t from 'tap'
import { ShardThread } from '../src/shard-thread.ts'
import { BatchError, UNKNOWN_PREVIOUS } from '../src/store/message-store.ts'
import { jsonCommand } from './support/commands.ts'
import { callAt, HeldStore, nextTurn, storedMessage } from './support/held-store.ts'
import { SmallLanes } from './support/small-lanes.ts'
import { CommandsByHand } from './support/commands-by-hand.ts'

const USER = 1 as UserId

class Scene {
  readonly store = new HeldStore()
  readonly deliveries = new SmallLanes()
  readonly #commands = new CommandsByHand()
  readonly #thread: ShardThread

  constructor(t: { teardown(action: () => void): void }) {
    const { store, deliveries } = this
    const lanes = Object.assign(this.#commands, {
      deliveryWriter: deliveries.deliveryWriter.bind(deliveries),
      markDelivery: () => undefined,
      ringGateway: () => undefined,
    })
    this.#thread = new ShardThread({ lanes, store, shardCount: 1 })
    t.teardown(() => this.#thread.close())
  }

  get userCount(): number {
    return this.#thread.userCount
  }

  async handle(...commands: Command[]): Promise<void> {
    for (const command of commands) this.#commands.add(command)
    this.#thread.loop.turn()
    await nextTurn()
  }

  /** A connection at the head of a log whose newest id is `head`. */
  async connected(connection: number, head: number): Promise<void> {
    await this.handle(subscribe(connection))
    await callAt(this.store.headQueries, 0).answer({
      newest: head,
      byUser: new Map([[USER, head]]),
    })
  }

  told(): string[] {
    return this.deliveries.written.splice(0).map(({ delivery }) => describe(delivery))
  }
}

function describe(delivery: Delivery): string {
  switch (delivery.kind) {
    case 'message': {
      const to = [...(delivery.correlationId === 0 ? [] : ['publisher']), ...delivery.connections]
      return `${delivery.messageId} to ${to.join()}`
    }
    case 'failure':
      return `failure ${delivery.code}`
    case 'subscribed':
      return `${delivery.connection} at ${delivery.cursor}${delivery.behind ? ', behind' : ''}`
    case 'refused':
      return `${delivery.connection} refused ${delivery.code}`
    case 'close':
      return `close ${delivery.connections.join()}`
    default:
      return delivery.kind
  }
}

function subscribe(connection: number, fields: Partial<SubscribeCommand> = {}): SubscribeCommand {
  return {
    kind: 'subscribe',
    connection: connection as ConnectionNumber,
    userId: USER,
    clientId: 0,
    after: null,
    resume: false,
    ...fields,
  }
}

function publish(correlationId: number, fields: { idempotencyKey?: string } = {}): Command {
  const correlation = correlationId as CorrelationId
  return jsonCommand({ message: 'm' }, { ...fields, correlationId: correlation, userId: USER })
}

function stored(id: number, previousId: number | null = null): never[] {
  return [{ kind: 'new', id, previousId }] as never[]
}

t.test('Shard starts a connection without a cursor at the newest id', async (t) => {
  const scene = new Scene(t)
  await scene.connected(1, 5)
  await scene.handle(subscribe(2))
  t.strictSame(scene.told(), ['1 at 5', '2 at 5'])
  t.equal(scene.store.headQueries.length, 1, 'the second needs no look at the log')
})

t.test('Shard sends a connection with an older cursor to catch up', async (t) => {
  const scene = new Scene(t)
  await scene.connected(1, 5)
  await scene.handle(subscribe(2, { after: 3 }), subscribe(3, { after: 5 }))
  t.strictSame(scene.told(), ['1 at 5', '2 at 3, behind', '3 at 5'])
})

t.test('Shard refuses a cursor of the future, after a look at the log', async (t) => {
  const scene = new Scene(t)
  await scene.connected(1, 5)
  await scene.handle(subscribe(2, { after: 8 }), subscribe(3, { after: 7 }))
  await callAt(scene.store.headQueries, 1).answer({ newest: 7, byUser: new Map() })
  t.strictSame(scene.told(), ['1 at 5', '2 refused BAD_REQUEST', '3 at 7'])
})

t.test('Shard never refuses an open connection whose worker was restarted', async (t) => {
  const scene = new Scene(t)
  await scene.handle(subscribe(1, { after: 9, resume: true }))
  scene.store.isUp = false
  await callAt(scene.store.headQueries, 0).fail(new Error('away'))
  t.strictSame(scene.told(), [])
  scene.store.comeBack()
  await nextTurn()
  await callAt(scene.store.headQueries, 1).answer({ newest: 3, byUser: new Map() })
  t.strictSame(scene.told(), ['1 at 9'])
})

t.test('Shard refuses a new connection while the log cannot be read, and forgets it', async (t) => {
  const scene = new Scene(t)
  await scene.handle(subscribe(1))
  await callAt(scene.store.headQueries, 0).fail(new Error('away'))
  t.strictSame(scene.told(), ['1 refused DATABASE_UNAVAILABLE'])
  t.equal(scene.userCount, 0)
})

t.test('Shard answers after the commit, and by the same record its listeners', async (t) => {
  const scene = new Scene(t)
  await scene.connected(1, 5)
  await scene.handle(publish(70))
  t.strictSame(scene.told(), ['1 at 5'])
  await callAt(scene.store.inserts, 0).answer(stored(6))
  t.strictSame(scene.told(), ['6 to publisher,1'])
})

t.test('Shard answers a publisher whose user has no connection', async (t) => {
  const scene = new Scene(t)
  await scene.handle(publish(70))
  await callAt(scene.store.inserts, 0).answer(stored(6))
  t.strictSame(scene.told(), ['6 to publisher'])
  t.equal(scene.userCount, 0)
})

t.test('Shard reads the log first when another process committed in between', async (t) => {
  for (const previous of [6, UNKNOWN_PREVIOUS]) {
    const scene = new Scene(t)
    await scene.connected(1, 5)
    await scene.handle(publish(70))
    await callAt(scene.store.inserts, 0).answer(stored(7, previous))
    t.strictSame(scene.told(), ['1 at 5', '7 to publisher'])
    const messages = [storedMessage(6), storedMessage(7)]
    await callAt(scene.store.pages, 0).answer({ messages, atEnd: true })
    t.strictSame(scene.told(), ['6 to 1', '7 to 1'])
  }
})

t.test('Shard reads the log before it hands on what follows a lost batch', async (t) => {
  const scene = new Scene(t)
  await scene.connected(1, 5)
  await scene.handle(publish(70))
  await callAt(scene.store.inserts, 0).fail(new BatchError('unknown', new Error('broke')))
  await scene.handle(publish(71))
  await callAt(scene.store.inserts, 1).answer(stored(7))
  t.strictSame(scene.told(), ['1 at 5', 'failure DATABASE_UNAVAILABLE', '7 to publisher'])
  const messages = [storedMessage(6), storedMessage(7)]
  await callAt(scene.store.pages, 0).answer({ messages, atEnd: true })
  t.strictSame(scene.told(), ['6 to 1', '7 to 1'])
})

t.test('Shard answers a repeat with the first message and hands nothing on', async (t) => {
  const scene = new Scene(t)
  await scene.connected(1, 5)
  const key = { idempotencyKey: 'k' }
  await scene.handle(publish(70, key), publish(71, key), publish(72, key))
  await callAt(scene.store.inserts, 0).answer([
    { kind: 'repeat', first: storedMessage(3) },
    { kind: 'key-reused' },
    { kind: 'key-freed' },
  ])
  t.strictSame(scene.told(), [
    '1 at 5',
    '3 to publisher',
    'failure KEY_REUSED',
    'failure DATABASE_UNAVAILABLE',
  ])
})

t.test('Shard hands on what another process told of, and ignores what it knows', async (t) => {
  const scene = new Scene(t)
  await scene.connected(1, 5)
  await scene.handle({ kind: 'hint', userId: USER, messageId: 5 })
  t.equal(scene.store.pages.length, 0)
  await scene.handle({ kind: 'hint', userId: USER, messageId: 6 })
  await callAt(scene.store.pages, 0).answer({ messages: [storedMessage(6)], atEnd: true })
  t.strictSame(scene.told(), ['1 at 5', '6 to 1'])
})

t.test(
  'Shard closes the connections of a client, and keeps nothing of a user without one',
  async (t) => {
    const scene = new Scene(t)
    const clientId = 4 as SubscribeCommand['clientId']
    await scene.connected(1, 5)
    await scene.handle(subscribe(2, { clientId }), { kind: 'revoke', userId: USER, clientId })
    t.strictSame(scene.told(), ['1 at 5', '2 at 5', 'close 2'])
    for (const connection of [1, 2] as ConnectionNumber[]) {
      await scene.handle({ kind: 'unsubscribe', connection, userId: USER })
    }
    t.equal(scene.userCount, 0)
  },
)

t.test('Shard tells more connections than a record may name by several records', async (t) => {
  const scene = new Scene(t)
  await scene.connected(1, 5)
  const others = Array.from({ length: 4_500 }, (_, index) => subscribe(index + 2))
  for (let from = 0; from < others.length; from += 500) {
    await scene.handle(...others.slice(from, from + 500))
  }
  scene.told()
  await scene.handle(publish(70))
  await callAt(scene.store.inserts, 0).answer(stored(6))
  const messages = scene.deliveries.messages()
  t.strictSame(
    messages.map(({ correlationId, connections }) => [correlationId, connections.length]),
    [
      [70, 2_000],
      [0, 2_000],
      [0, 501],
    ],
  )
  t.equal(new Set(messages.flatMap(({ connections }) => connections)).size, 4_501)
})
