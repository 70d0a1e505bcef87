/** One lane with both ends on one thread: every promise of LaneWriter and LaneReader but those that need two threads. */
import { MessageChannel } from 'node:worker_threads'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { closeLane, resetLane } from '../../src/ring/lane-state.ts'
import { LaneReader } from '../../src/ring/lane-reader.ts'
import { LaneWriter } from '../../src/ring/lane-writer.ts'
import { PAGE_BYTES } from '../../src/ring/layout.ts'
import { TransferReceiver, TransferSender } from '../../src/ring/transfer.ts'
import { createArena, openArena } from '../../src/ring/arena.ts'
import { holdsRecord, lanePair, writeRecord, type LanePair } from './support/lane-pair.ts'

const MIB = 1024 * 1024

function open(test: Test, laneBytes: number, startSequence = 0): LanePair {
  const pair = lanePair(laneBytes, startSequence)
  test.teardown(() => pair.close())
  return pair
}

t.test('[RING1] LaneReader finds each record once, whole and in commit order', async (t) => {
  const { writer, reader } = open(t, 1024)
  t.notOk(reader.peek(), 'a new lane is empty')
  const lengths = [0, 1, 7, 8, 9, 255, 256]
  lengths.forEach((length, id) => t.ok(writeRecord(writer, id, length)))
  lengths.forEach((length, id) => {
    t.ok(reader.peek())
    t.ok(holdsRecord(reader, id, length), `record of ${length} bytes`)
    t.ok(reader.peek(), 'a second peek finds the same one')
    t.ok(holdsRecord(reader, id, length))
    reader.release()
  })
  t.notOk(reader.peek())
})

t.test('[RING1] LaneWriter wraps at the end and at sequence 2^32 without splitting', async (t) => {
  for (const start of [0, 8, 1016, 2 ** 31 - 8, -8, -256]) {
    const { writer, reader } = open(t, 1024, start | 0)
    t.ok(writeRecord(writer, 0, 200))
    for (let id = 1; id < 100; id++) {
      if (!writeRecord(writer, id, 100 + id)) t.fail(`no room for record ${id} from ${start}`)
      if (!reader.peek() || !holdsRecord(reader, id - 1, id === 1 ? 200 : 99 + id)) {
        t.fail(`record ${id - 1} differs from ${start}`)
      }
      reader.release()
    }
    t.ok(reader.peek() && holdsRecord(reader, 99, 199), `from sequence ${start}`)
  }
})

t.test(
  '[RING2] [RING3] an uncommitted claim is never seen and the next one replaces it',
  async (t) => {
    const { writer, reader } = open(t, 1024)
    t.ok(writer.tryClaim(200))
    writer.bytes.fill(0xee, writer.offset, writer.offset + 200)
    t.notOk(reader.peek())
    t.ok(writer.tryClaim(1000), 'a transferred one')
    writer.bytes.fill(0xee)
    t.notOk(reader.peek())
    t.ok(writeRecord(writer, 1, 40))
    t.ok(reader.peek())
    t.ok(holdsRecord(reader, 1, 40))
    reader.release()
    t.notOk(reader.peek())
  },
)

t.test('[RING4] LaneWriter.tryClaim() refuses when full and goes on after a release', async (t) => {
  const { writer, reader } = open(t, 1024)
  let written = 0
  while (writeRecord(writer, written, 120)) written++
  t.equal(written, 8, '8 records of 128 bytes fill 1,024 bytes')
  t.notOk(writer.closed, 'full, not closed')
  t.notOk(writer.hasRoom(120))
  t.throws(() => writer.commit(), { code: 'INTERNAL' }, 'a refused claim is no claim')
  t.equal(writer.depthGuess(), 1024)
  t.equal(reader.depthGuess(), 1024)
  t.ok(reader.peek())
  t.notOk(writer.hasRoom(120), 'peeked at is not released')
  reader.release()
  t.ok(writer.hasRoom(120))
  t.ok(writeRecord(writer, 8, 120))
  for (let id = 1; id <= 8; id++) {
    t.ok(reader.peek() && holdsRecord(reader, id, 120))
    reader.release()
  }
  t.equal(reader.depthGuess(), 0)
})

t.test('[RING4] lane ends refuse commit() and release() without a record', async (t) => {
  const { writer, reader } = open(t, 1024)
  t.throws(() => writer.commit(), { code: 'INTERNAL' })
  t.throws(() => reader.release(), { code: 'INTERNAL' })
  writeRecord(writer, 0, 8)
  t.throws(() => writer.commit(), { code: 'INTERNAL' })
  t.throws(() => reader.release(), { code: 'INTERNAL' }, 'release comes after peek')
})

t.test('[RING4] a closed lane takes nothing more and stays readable', async (t) => {
  const { arena, writer, reader } = open(t, 1024)
  t.ok(writeRecord(writer, 0, 10))
  closeLane(arena, 0, 'command')
  t.ok(writer.closed)
  t.notOk(writer.tryClaim(10))
  t.notOk(writer.hasRoom(10))
  t.ok(reader.peek() && holdsRecord(reader, 0, 10))
  reader.release()
  t.notOk(reader.peek())
})

t.test('[RING8] a new epoch opens the lane empty and refuses writers of older ones', async (t) => {
  const { arena, writer } = open(t, 1024)
  t.ok(writeRecord(writer, 0, 10))
  closeLane(arena, 0, 'command')
  resetLane(arena, 0, 'command', 1)
  t.ok(writer.closed, 'the writer of epoch 0')
  t.notOk(writer.tryClaim(10))
  const { port1, port2 } = new MessageChannel()
  t.teardown(() => port1.close())
  const lane = { arena, shard: 0, direction: 'command', epoch: 1 } as const
  const next = new LaneWriter({ ...lane, transfer: new TransferSender(arena, 0, 'command', port1) })
  const reader = new LaneReader({
    ...lane,
    transfer: new TransferReceiver(arena, 0, 'command', port2),
  })
  t.notOk(reader.peek(), 'the record of epoch 0 is gone')
  t.ok(writeRecord(next, 5, 20))
  t.ok(reader.peek() && holdsRecord(reader, 5, 20))
})

t.test(
  '[RING5] a body above a quarter of the lane is transferred and keeps its place',
  async (t) => {
    const { writer, reader } = open(t, 1024)
    const lengths = [256, 257, 10, 100_000, 1024, 0]
    lengths.forEach((length, id) => t.ok(writeRecord(writer, id, length)))
    lengths.forEach((length, id) => {
      t.ok(reader.peek() && reader.peek())
      t.ok(holdsRecord(reader, id, length), `record of ${length} bytes`)
      reader.release()
    })
    t.notOk(reader.peek())
  },
)

t.test(
  '[RING5] transferred bodies of several lanes do not mix when drained out of order',
  async (t) => {
    const arena = openArena(createArena({ shardCount: 3, threadCount: 1, laneBytes: 1024 }))
    const { port1, port2 } = new MessageChannel()
    t.teardown(() => port1.close())
    const sender = new TransferSender(arena, 0, 'command', port1)
    const receiver = new TransferReceiver(arena, 0, 'command', port2)
    const ends = [0, 1, 2].map((shard) => {
      const lane = { arena, shard, direction: 'command', epoch: 0 } as const
      return {
        writer: new LaneWriter({ ...lane, transfer: sender }),
        reader: new LaneReader({ ...lane, transfer: receiver }),
      }
    })
    for (let id = 0; id < 9; id++) {
      for (const { writer } of ends) t.ok(writeRecord(writer, id, 300 + id))
    }
    for (const { reader } of ends.reverse()) {
      for (let id = 0; id < 9; id++) {
        t.ok(reader.peek() && holdsRecord(reader, id, 300 + id))
        reader.release()
      }
    }
  },
)

t.test(
  '[RING5] outstanding transferred bytes are bounded, and any size gets through alone',
  async (t) => {
    const { arena, writer, reader } = open(t, 65_536)
    const outstanding = arena.layout.outstanding(0, 'command')
    let sent = 0
    while (writer.tryClaim(16 * MIB)) {
      writer.commit()
      sent++
    }
    t.equal(sent, 4, '64 MiB')
    t.notOk(writer.closed)
    t.ok(writer.tryClaim(100), 'the lane itself has room')
    for (let id = 0; id < sent; id++) {
      t.ok(reader.peek())
      t.equal(reader.length, 16 * MIB)
      reader.release()
    }
    t.equal(arena.words[outstanding], 0)
    t.ok(writer.tryClaim(80 * MIB), 'above the bound, alone')
    writer.commit()
    t.notOk(writer.tryClaim(16_385), 'nothing beside it')
    t.ok(reader.peek())
    reader.release()
    t.equal(arena.words[outstanding], 0)
  },
)

t.test('[RING6] a lane that is never deep touches only its first pages', async (t) => {
  const { arena, writer, reader } = open(t, 65_536)
  const { bodyByte } = arena.layout.lane(0, 'command')
  for (let id = 0; id < 20_000; id++) {
    const length = 1 + (id % 700)
    writeRecord(writer, id, length)
    writeRecord(writer, id + 1, length)
    for (const expected of [id, id + 1]) {
      if (!reader.peek() || !holdsRecord(reader, expected, length)) t.fail(`record ${expected}`)
      reader.release()
    }
  }
  const untouched = arena.bytes.subarray(bodyByte + 2 * PAGE_BYTES, bodyByte + 65_536)
  t.equal(
    untouched.findIndex((byte) => byte !== 0),
    -1,
    'all but two pages are as new',
  )
})

t.test(
  '[RING6] going back to the start costs no room: a burst still fills the whole lane',
  async (t) => {
    const { writer, reader } = open(t, 65_536)
    for (let id = 0; id < 6000; id++) {
      let written = 0
      const burst = id % 100 === 99 ? 65_536 / 256 : id % 7
      while (written < burst && writeRecord(writer, written, 248)) written++
      if (written !== burst) t.fail(`round ${id}: ${written} of ${burst} records`)
      for (let read = 0; read < burst; read++) {
        if (!reader.peek() || !holdsRecord(reader, read, 248)) t.fail(`round ${id}: record ${read}`)
        reader.release()
      }
    }
    t.notOk(reader.peek())
  },
)

t.test('[RING1] LaneReader.peek() throws INTERNAL when the memory is damaged', async (t) => {
  for (const [word, value] of [
    [0, -1],
    [0, 257],
    [1, 9],
  ] as const) {
    const { arena, writer, reader } = open(t, 1024)
    writeRecord(writer, 0, 8)
    arena.view.setInt32(arena.layout.lane(0, 'command').bodyByte + 4 * word, value, true)
    t.throws(() => reader.peek(), { code: 'INTERNAL' })
  }
})

t.test('[RING1] Buffer text methods work on the shared memory in place', async (t) => {
  const { writer, reader } = open(t, 1024)
  const text = '{"title":"grüße 🔔"}'
  t.ok(writer.tryClaim(Buffer.byteLength(text)))
  writer.bytes.write(text, writer.offset, 'utf8')
  writer.commit()
  t.ok(reader.peek())
  t.equal(reader.bytes.toString('utf8', reader.offset, reader.offset + reader.length), text)
})

type Step =
  | { readonly do: 'write' | 'abandon'; readonly byteLength: number }
  | { readonly do: 'read' }
  | { readonly do: 'drain' }

t.test('[RING1] any run of writes, abandoned claims and reads keeps every record', async (t) => {
  const byteLength = fc.oneof(
    { weight: 6, arbitrary: fc.nat(64) },
    { weight: 1, arbitrary: fc.nat(300) },
  )
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('write' as const), byteLength }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('abandon' as const), byteLength }) },
    { weight: 4, arbitrary: fc.constant({ do: 'read' } as const) },
    { weight: 1, arbitrary: fc.constant({ do: 'drain' } as const) },
  )
  const laneBytes = fc.constantFrom(64, 128, 256, 1024)
  const start = fc.integer({ min: -(2 ** 28), max: 2 ** 28 - 1 }).map((eighth) => eighth * 8)
  const scenario = fc.property(laneBytes, start, fc.array(step, { maxLength: 200 }), runSteps)
  fc.assert(scenario, { numRuns: 500 })
  t.pass('500 runs')
})

/** Runs the steps against a plain queue of what was committed. */
function runSteps(laneBytes: number, startSequence: number, steps: readonly Step[]): boolean {
  const { writer, reader, close } = lanePair(laneBytes, startSequence)
  const committed: { id: number; byteLength: number }[] = []
  let id = 0
  function readOne(): boolean {
    const next = committed.shift()
    if (next === undefined) return !reader.peek()
    const good = reader.peek() && holdsRecord(reader, next.id, next.byteLength)
    if (good) reader.release()
    return good
  }
  try {
    return steps.every((step) => {
      switch (step.do) {
        case 'write':
          id++
          if (writeRecord(writer, id, step.byteLength)) {
            committed.push({ id, byteLength: step.byteLength })
            return true
          }
          return committed.length > 0
        case 'abandon':
          if (writer.tryClaim(step.byteLength)) {
            writer.bytes.fill(0xee, writer.offset, writer.offset + step.byteLength)
          }
          return true
        case 'read':
          return readOne()
        case 'drain':
          while (committed.length > 0) if (!readOne()) return false
          return !reader.peek() && reader.depthGuess() === 0 && writer.depthGuess() === 0
      }
    })
  } finally {
    close()
  }
}
