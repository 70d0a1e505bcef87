/**
 * Runs the simulation for many seeds. A failing seed is printed with what happened; run it alone
 * with `BELLWIRE_SEED=n node dist/test/simulation/simulation.test.js`, and BELLWIRE_SEEDS=n runs
 * that many. A seed that once found a fault stays below, by name.
 */
import t from 'tap'
import { simulate } from './simulate.ts'

/** Long enough to meet every fault in many states, short enough for every run of the tests. */
const SEEDS = Number(process.env['BELLWIRE_SEEDS'] ?? 300)
const HISTORY_SHOWN = 80

t.test(
  '[PUB1] [PUB2] [PUB10] [DLV1] [DLV6] [DLV10] [SHARD1] [SHARD2] A gateway and its shards keep every promise in every random run',
  async (t) => {
    const only = process.env['BELLWIRE_SEED']
    const first = only === undefined ? 1 : Number(only)
    const last = only === undefined ? SEEDS : first
    let frames = 0
    for (let seed = first; seed <= last; seed++) {
      const result = await simulate(seed)
      frames += result.frames
      if (result.violations.length === 0) continue
      const history = result.history.slice(-HISTORY_SHOWN)
      t.fail(`seed ${seed}: ${result.violations[0] ?? ''}`, {
        history,
        violations: result.violations,
      })
      if (process.env['BELLWIRE_KEEP_ON'] === undefined) return
    }
    if (only !== undefined) return
    t.comment(`${last - first + 1} runs, ${frames} frames`)
    t.ok(frames > 0, 'frames were sent')
  },
)
