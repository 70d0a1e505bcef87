/** Every order of the atomic steps of two or three threads, on the real code; see support/lockstep.ts. */
import t, { type Test } from 'tap'
import type { Arena } from '../../src/ring/arena.ts'
import { contentOf } from './support/lane-pair.ts'
import { Lockstep, type Script } from './support/lockstep.ts'
import { checksumOf, FAILED, isChecksum } from './support/lockstep-log.ts'

// Each step is a hand-over between threads: slow on a machine that has other work.
t.setTimeout(180_000)

t.test('[RING1] [RING2] a lane keeps every record in every order of steps', async (t) => {
  await exploreLane(t, [16, 16, 16, 16], 3, [0])
  await exploreLane(t, [16, 16, 0, 0, 0], 2, [0])
})

t.test(
  '[RING1] [RING6] so it does with mixed sizes, at the wraps and after restarts',
  async (t) => {
    await exploreLane(t, [0, 16, 8, 16], 3, [-24, 2 ** 31 - 16])
  },
)

t.test('[RING5] so it does with transferred bodies', async (t) => {
  await exploreLane(t, [8, 100, 17], 3, [0])
})

/** The lane is tiny (64 bytes), so that few records fill it, wrap it and find it empty again. */
async function exploreLane(
  test: Test,
  lengths: readonly number[],
  attempts: number,
  starts: readonly number[],
): Promise<void> {
  const checksums = lengths.map((length, id) => checksumOf(contentOf(id, length), 0, length))
  const lockstep = await start(test, [
    { role: 'writer', lengths },
    { role: 'reader', attempts },
  ])
  for (const startSequence of starts) {
    let outcomes = 0
    let refusals = 0
    const states = lockstep.explore(
      (arena) => startLaneAt(arena, startSequence),
      ({ logs }, schedule) => {
        const [committed, read] = logs.map((log) => log.filter(isChecksum))
        outcomes++
        if (committed?.length !== lengths.length) refusals++
        if (committed?.join() !== read?.join() || logs.flat().includes(FAILED)) {
          test.fail(`schedule ${schedule.join('')}`, { committed, read, checksums })
        }
      },
    )
    test.ok(outcomes > 20, `from ${startSequence}: ${states} states, ${outcomes} outcomes`)
    test.comment(`${refusals} outcomes with a refused claim`)
  }
}

t.test('[RING7] no order of steps of ringers and a sleeper loses a wake-up', async (t) => {
  await exploreDoorbell(t, 1, 2)
  await exploreDoorbell(t, 2, 1)
})

async function exploreDoorbell(test: Test, ringers: number, records: number): Promise<void> {
  const lockstep = await start(
    test,
    [
      { role: 'sleeper', records: ringers * records },
      ...Array.from({ length: ringers }, (_, shard): Script => {
        return { role: 'ringer', shard, records }
      }),
    ],
    ringers,
  )
  let outcomes = 0
  const states = lockstep.explore(nothing, ({ asleep, logs }, schedule) => {
    outcomes++
    if (asleep[0] === true || logs.flat().includes(FAILED))
      test.fail(`asleep for ever: schedule ${schedule.join('')}`)
  })
  test.ok(outcomes > 10, `${ringers} ringers: ${states} states, ${outcomes} outcomes`)
}

async function start(
  test: Test,
  scripts: readonly [Script, ...Script[]],
  shardCount?: number,
): Promise<Lockstep> {
  const lockstep = new Lockstep(scripts, shardCount)
  test.teardown(() => lockstep.close())
  await lockstep.ready()
  return lockstep
}

function startLaneAt(arena: Arena, sequence: number): void {
  const { writeSequence, readSequence } = arena.layout.lane(0, 'command')
  arena.words[writeSequence] = sequence
  arena.words[readSequence] = sequence
}

function nothing(): void {
  // The arena is as new.
}
