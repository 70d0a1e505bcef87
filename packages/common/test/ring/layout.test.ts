/** The byte map of the arena: distances, overlaps, bounds. */
import t from 'tap'
import { createArena } from '../../src/ring/arena.ts'
import {
  ArenaLayout,
  LINE_BYTES,
  PAGE_BYTES,
  type ArenaShape,
  type BellWords,
} from '../../src/ring/layout.ts'

const SHAPES: readonly ArenaShape[] = [
  { shardCount: 1, threadCount: 1, laneBytes: 64 },
  { shardCount: 33, threadCount: 3, laneBytes: 4096 },
  { shardCount: 256, threadCount: 2, laneBytes: 65_536 },
  { shardCount: 4096, threadCount: 64, laneBytes: 65_536 },
]

/** The bytes where each separately stored line of an arena starts. */
function lineStarts(layout: ArenaLayout): number[] {
  const words: number[] = []
  function addBell({ sleeping, bitmap, bitmapLength }: BellWords): void {
    words.push(sleeping)
    for (let word = bitmap; word < bitmap + bitmapLength; word += LINE_BYTES / 4) words.push(word)
  }
  addBell(layout.gatewayBell())
  for (let thread = 0; thread < layout.threadCount; thread++) {
    addBell(layout.threadBell(thread))
    words.push(layout.outstanding(thread, 'command'), layout.outstanding(thread, 'delivery'))
  }
  for (let shard = 0; shard < layout.shardCount; shard++) {
    for (const direction of ['command', 'delivery'] as const) {
      const { writeSequence, readSequence, state } = layout.lane(shard, direction)
      words.push(writeSequence, readSequence, state)
    }
  }
  return words.map((word) => word * 4)
}

t.test('[RING9] ArenaLayout gives every shared word its own 128-byte line', async (t) => {
  for (const shape of SHAPES) {
    const layout = new ArenaLayout(shape)
    const starts = lineStarts(layout)
    t.equal(new Set(starts).size, starts.length, 'no two words in one place')
    t.ok(
      starts.every((byte) => byte % LINE_BYTES === 0),
      `${shape.shardCount} shards: each starts a line`,
    )
    t.ok(Math.max(...starts) < layout.lane(0, 'command').bodyByte, 'headers come before bodies')
  }
})

t.test('[RING9] ArenaLayout lays lane bodies on pages, side by side, to the end', async (t) => {
  for (const shape of SHAPES) {
    const layout = new ArenaLayout(shape)
    t.equal(layout.lane(0, 'command').bodyByte % PAGE_BYTES, 0)
    let expected = layout.lane(0, 'command').bodyByte
    let gaps = 0
    for (let shard = 0; shard < shape.shardCount; shard++) {
      for (const direction of ['command', 'delivery'] as const) {
        if (layout.lane(shard, direction).bodyByte !== expected) gaps++
        expected += shape.laneBytes
      }
    }
    t.equal(gaps, 0)
    t.equal(expected, layout.byteLength)
  }
})

t.test('[RING9] 4-byte atomics are lock-free here', async (t) => {
  t.ok(Atomics.isLockFree(Int32Array.BYTES_PER_ELEMENT))
})

t.test('[RING9] ArenaLayout refuses a shape out of range and says why', async (t) => {
  const good = { shardCount: 4, threadCount: 1, laneBytes: 4096 }
  const bad: [Partial<ArenaShape>, RegExp][] = [
    [{ shardCount: 0 }, /shardCount is 0, must be a positive integer/],
    [{ shardCount: 1.5 }, /shardCount is 1\.5/],
    [{ threadCount: Number.NaN }, /threadCount is NaN/],
    [{ laneBytes: 32 }, /laneBytes is 32, must be a power of two of at least 64/],
    [{ laneBytes: 5000 }, /laneBytes is 5000, must be a power of two/],
    [{ laneBytes: 2 ** 30 }, /8589938688 bytes, must be at most/],
  ]
  for (const [part, message] of bad) {
    t.throws(() => new ArenaLayout({ ...good, ...part }), { name: 'RangeError', message })
  }
})

t.test('[RING9] createArena() costs what is touched, not what is reserved', async (t) => {
  const before = process.memoryUsage.rss()
  const arena = createArena({ shardCount: 1024, threadCount: 2, laneBytes: 65_536 })
  const after = process.memoryUsage.rss()
  t.equal(arena.buffer.byteLength > 128 * 2 ** 20, true)
  t.ok(after - before < 8 * 2 ** 20, `${after - before} bytes of RSS for 128 MiB`)
})
