/** The fault schedule: the same for a seed, and every kind in its turn. */
import { SeededRandom } from '@bellwire/common/seeded-random'
import t from 'tap'
import { drawSchedule, FAULTS, type FaultKind } from '../../src/prove/faults/schedule.ts'

const KINDS = Object.keys(FAULTS) as FaultKind[]

t.test('drawSchedule draws the same for a seed and something else for another', async (t) => {
  const draw = (seed: number): unknown => drawSchedule(new SeededRandom(seed), 60_000, KINDS, 500)
  t.same(draw(7), draw(7))
  t.notSame(draw(7), draw(8))
})

t.test('drawSchedule brings every kind before one comes again, in time and in order', async (t) => {
  for (let seed = 0; seed < 100; seed++) {
    const faults = drawSchedule(new SeededRandom(seed), 60_000, KINDS, 500)
    for (let from = 0; from + KINDS.length <= faults.length; from += KINDS.length) {
      const round = faults.slice(from, from + KINDS.length).map(({ kind }) => kind)
      if (new Set(round).size < KINDS.length) t.fail(`seed ${seed}: ${round.join(', ')}`)
    }
    const times = faults.map(({ atMs }) => atMs)
    if (times.some((time, index) => time < (times[index - 1] ?? 0) || time > 60_000)) {
      t.fail(`seed ${seed}`, { times })
    }
    for (const { kind, lastsMs } of faults) {
      const [shortest, longest] = FAULTS[kind]
      if (lastsMs < shortest || lastsMs > longest) t.fail(`seed ${seed}: ${kind} ${lastsMs}`)
    }
  }
})
