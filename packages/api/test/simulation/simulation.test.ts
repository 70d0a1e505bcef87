/**
 * Runs the simulation for many seeds. A failing seed is printed with what happened; run it alone
 * with `BELLWIRE_SEED=n node dist/test/simulation/simulation.test.js`; `BELLWIRE_SEEDS=n` runs that
 * many. A seed that has found a fault stays below, by the name of the fault.
 */
import t, { type Test } from 'tap'
import { simulate } from './simulate.ts'

/** Long enough to meet every fault in many states, short enough for every run of the tests. */
const SEEDS = Number(process.env['BELLWIRE_SEEDS'] ?? 300)
const ONLY = process.env['BELLWIRE_SEED']
const HISTORY_SHOWN = 80

/** The first seed that finds each fault, when it is made again. */
const REGRESSIONS = {
  'a later commit went out before a lost one was looked for': 39,
  'a batch of one statement overtook one of two': 61,
  'a message came while a page was read and was in neither': 3,
  'a client deleted while its socket was opening kept it': 13,
  'an upgrade that was given up stayed registered': 103,
  'a revoke was lost with the lane of a dying worker': 105,
  'commands for a dead worker reached the next one': 187,
}

/** @returns false when a promise was broken. */
async function keepsPromises(t: Test, seed: number): Promise<boolean> {
  const { violations, history, frames } = await simulate(seed)
  const diagnostics = { violations, history: history.slice(-HISTORY_SHOWN) }
  return t.ok(
    violations.length === 0,
    `seed ${seed}: ${violations[0] ?? `${frames} frames`}`,
    diagnostics,
  )
}

if (ONLY === undefined) {
  t.test('[DLV1] [SHARD1] Faults that the simulation has found stay away', async (t) => {
    for (const [name, seed] of Object.entries(REGRESSIONS)) {
      await t.test(name, async (t) => {
        await keepsPromises(t, seed)
      })
    }
  })
}

t.test(
  '[PUB1] [PUB2] [PUB10] [DLV1] [DLV6] [DLV10] [SHARD1] [SHARD2] Every random run keeps every promise',
  async (t) => {
    const first = ONLY === undefined ? 1 : Number(ONLY)
    const last = ONLY === undefined ? SEEDS : first
    for (let seed = first; seed <= last; seed++) {
      if (!(await keepsPromises(t, seed))) return
    }
  },
)
