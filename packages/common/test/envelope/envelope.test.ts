import fc from 'fast-check'
import assert from 'node:assert/strict'
import t from 'tap'
import { readCommand, writeCommand, type PublishCommand } from '../../src/envelope/commands.ts'
import {
  MAX_CONNECTIONS_PER_DELIVERY,
  readDelivery,
  writeDelivery,
} from '../../src/envelope/deliveries.ts'
import { EnvelopeError, type RecordReader } from '../../src/envelope/record.ts'
import type { ConnectionNumber, UserId } from '../../src/ids.ts'
import { anyCommand, anyDelivery } from './arbitraries.ts'
import { isInside, PlainLane, recordOf } from './plain-lane.ts'

const RUNS = { numRuns: 1_000 }

/** Reads what may be garbage. @returns null when it was refused as an envelope must be refused. */
function readOrRefuse<T>(read: (record: RecordReader) => T, record: RecordReader): T | null {
  try {
    return read(record)
  } catch (error) {
    if (error instanceof EnvelopeError) return null
    throw error
  }
}

/** The bytes that an envelope hands out in place. */
function partsOf(envelope: object): readonly Uint8Array[] {
  return Object.values(envelope).filter((value) => value instanceof Uint8Array)
}

t.test('writeCommand() and readCommand() turn every command around', (t) => {
  fc.assert(
    fc.property(anyCommand, (command) => {
      const lane = new PlainLane()
      assert.ok(writeCommand(lane, command))
      assert.ok(lane.committed && lane.wallStands)
      assert.deepEqual(readCommand(lane.reader()), command)
    }),
    RUNS,
  )
  t.pass('no counterexample')
  t.end()
})

t.test('writeDelivery() and readDelivery() turn every delivery around', (t) => {
  fc.assert(
    fc.property(anyDelivery, (delivery) => {
      const lane = new PlainLane()
      assert.ok(writeDelivery(lane, delivery))
      assert.ok(lane.committed && lane.wallStands)
      assert.deepEqual(readDelivery(lane.reader()), delivery)
    }),
    RUNS,
  )
  t.pass('no counterexample')
  t.end()
})

t.test('writeCommand() and writeDelivery() write nothing when there is no room', (t) => {
  fc.assert(
    fc.property(anyCommand, anyDelivery, (command, delivery) => {
      const lane = new PlainLane(16)
      assert.ok(!writeCommand(lane, command))
      assert.ok(!writeDelivery(lane, delivery))
      assert.ok(!lane.committed)
    }),
    { numRuns: 100 },
  )
  t.pass('no counterexample')
  t.end()
})

t.test('readCommand() and readDelivery() refuse a record that was cut short', (t) => {
  fc.assert(
    fc.property(anyCommand, fc.nat(), (command, cut) => {
      const lane = new PlainLane()
      writeCommand(lane, command)
      const record = lane.reader(cut % lane.length)
      assert.throws(() => readCommand(record), EnvelopeError)
    }),
    RUNS,
  )
  fc.assert(
    fc.property(anyDelivery, fc.nat(), (delivery, cut) => {
      const lane = new PlainLane()
      writeDelivery(lane, delivery)
      const record = lane.reader(cut % lane.length)
      assert.throws(() => readDelivery(record), EnvelopeError)
    }),
    RUNS,
  )
  t.pass('no counterexample')
  t.end()
})

t.test('readCommand() and readDelivery() never read outside a record of any bytes', (t) => {
  const anyBytes = fc.uint8Array({ maxLength: 200, size: 'max' })
  const anyKind = fc.tuple(fc.nat({ max: 10 }), anyBytes)
  fc.assert(
    fc.property(anyKind, ([kind, content]) => {
      if (content.length > 0) content[0] = kind
      const record = recordOf(content)
      for (const read of [readCommand, readDelivery]) {
        const envelope = readOrRefuse<object>(read, record)
        if (envelope === null) continue
        assert.ok(partsOf(envelope).every((part) => isInside(record, part)))
      }
    }),
    { numRuns: 5_000 },
  )
  t.pass('no counterexample')
  t.end()
})

t.test('readCommand() and readDelivery() survive one wrong byte anywhere', (t) => {
  fc.assert(
    fc.property(anyCommand, fc.nat(), fc.nat({ max: 255 }), (command, at, byte) => {
      const lane = new PlainLane()
      writeCommand(lane, command)
      lane.bytes[lane.offset + (at % lane.length)] = byte
      const record = lane.reader()
      const read = readOrRefuse<object>(readCommand, record)
      assert.ok(read === null || partsOf(read).every((part) => isInside(record, part)))
    }),
    RUNS,
  )
  fc.assert(
    fc.property(anyDelivery, fc.nat(), fc.nat({ max: 255 }), (delivery, at, byte) => {
      const lane = new PlainLane()
      writeDelivery(lane, delivery)
      lane.bytes[lane.offset + (at % lane.length)] = byte
      const record = lane.reader()
      const read = readOrRefuse<object>(readDelivery, record)
      assert.ok(read === null || partsOf(read).every((part) => isInside(record, part)))
    }),
    RUNS,
  )
  t.pass('no counterexample')
  t.end()
})

const PUBLISH: PublishCommand = {
  kind: 'publish',
  correlationId: 0xffff_ffff as PublishCommand['correlationId'],
  userId: Number.MAX_SAFE_INTEGER as UserId,
  applicationId: 0,
  applicationName: Buffer.from('Küche \u{1f514}'),
  defaultPriority: -5,
  bodyKind: 'multipart',
  contentType: 'multipart/form-data; boundary="ü"',
  query: 'title=%F0%9F%94%94&x=\u{1f514}',
  idempotencyKey: 'schlüssel',
  receivedAt: Date.UTC(2026, 0, 1),
  body: Buffer.alloc(0),
}

t.test('writeCommand() carries a body of megabytes and every byte of it', (t) => {
  const body = Buffer.from(Uint8Array.from({ length: 4 * 1024 * 1024 }, (_, index) => index % 251))
  const lane = new PlainLane()
  t.ok(writeCommand(lane, { ...PUBLISH, body }))
  const read = readCommand(lane.reader())
  t.equal(read.kind, 'publish')
  t.ok(read.kind === 'publish' && body.equals(read.body))
  t.strictSame({ ...read, body: null }, { ...PUBLISH, body: null })
  t.end()
})

t.test('writeCommand() keeps the parts apart when a text holds half a surrogate pair', (t) => {
  const lane = new PlainLane()
  t.ok(writeCommand(lane, { ...PUBLISH, query: 'a=\ud800', body: Buffer.from('body') }))
  const read = readCommand(lane.reader())
  t.match(read, { query: 'a=\ufffd', idempotencyKey: 'schlüssel', body: Buffer.from('body') })
  t.end()
})

t.test('writeDelivery() names as many connections as one record may', (t) => {
  const connections = Array.from(
    { length: MAX_CONNECTIONS_PER_DELIVERY },
    (_, index) => (0xffff_ffff - index) as ConnectionNumber,
  )
  const frame = Buffer.alloc(1024 * 1024, 'frame')
  const lane = new PlainLane()
  t.ok(writeDelivery(lane, { kind: 'message', correlationId: 0, messageId: 1, connections, frame }))
  t.match(readDelivery(lane.reader()), { connections, frame })
  t.end()
})
