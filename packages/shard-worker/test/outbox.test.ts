import type { ConnectionNumber } from '@bellwire/common'
import t from 'tap'
import { Outbox } from '../src/outbox.ts'
import { SmallLanes } from './support/small-lanes.ts'

const NUMBERS = [1, 2, 3] as ConnectionNumber[]

function pageEnd(connection: number): { kind: 'page-end'; connection: never; atHead: boolean } {
  return { kind: 'page-end', connection: connection as never, atHead: true }
}

function connectionsIn(lanes: SmallLanes): number[] {
  return lanes.written.map(({ delivery }) =>
    delivery.kind === 'page-end' ? delivery.connection : -1,
  )
}

t.test('Outbox writes at once while there is room, and rings when it is told to', (t) => {
  const lanes = new SmallLanes()
  const outbox = new Outbox(lanes)
  outbox.write(0, pageEnd(1))
  outbox.write(1, pageEnd(2))
  t.strictSame(connectionsIn(lanes), [1, 2])
  t.notOk(outbox.saturated)
  t.equal(lanes.rings, 0)
  outbox.ring()
  t.equal(lanes.rings, 1)
  t.end()
})

t.test('Outbox keeps the order of all calls when a lane is full', (t) => {
  const lanes = new SmallLanes(2)
  const outbox = new Outbox(lanes)
  t.teardown(() => outbox.close())
  for (const connection of [1, 2, 3, 4]) outbox.write(0, pageEnd(connection))
  outbox.write(1, pageEnd(5))
  t.strictSame(connectionsIn(lanes), [1, 2], 'what comes later waits behind the full lane')
  t.ok(outbox.saturated)
  lanes.empty(0)
  outbox.retry()
  t.strictSame(connectionsIn(lanes), [1, 2, 3, 4, 5])
  t.notOk(outbox.saturated)
  t.equal(lanes.rings, 1, 'the gateway is woken for them')
  t.end()
})

t.test('Outbox writes what it can when it tries again', (t) => {
  const lanes = new SmallLanes(2)
  const outbox = new Outbox(lanes)
  t.teardown(() => outbox.close())
  for (let connection = 1; connection <= 6; connection++) outbox.write(0, pageEnd(connection))
  lanes.empty(0)
  outbox.retry()
  t.strictSame(connectionsIn(lanes), [1, 2, 3, 4])
  t.ok(outbox.saturated)
  t.end()
})

t.test('Outbox sends what waits to the connections of then', (t) => {
  const lanes = new SmallLanes(0)
  const outbox = new Outbox(lanes)
  t.teardown(() => outbox.close())
  const live = [...NUMBERS]
  const frame = Buffer.from('frame')
  outbox.write(0, { kind: 'message', correlationId: 0, messageId: 1, connections: live, frame })
  live.splice(0, 1, 9 as ConnectionNumber)
  const roomy = new SmallLanes()
  Object.assign(lanes, { deliveryWriter: roomy.deliveryWriter.bind(roomy) })
  outbox.retry()
  t.match(roomy.messages(), [{ connections: NUMBERS }])
  t.end()
})

t.test('Outbox tries again by itself, and tells everybody who waits for room', async (t) => {
  const lanes = new SmallLanes(1)
  const outbox = new Outbox(lanes)
  t.teardown(() => outbox.close())
  await outbox.room()
  outbox.write(0, pageEnd(1))
  outbox.write(0, pageEnd(2))
  const waiting = Promise.all([outbox.room(), outbox.room()])
  lanes.empty(0)
  await waiting
  t.strictSame(connectionsIn(lanes), [1, 2])
})
