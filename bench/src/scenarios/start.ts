/** A server that was just started and holds nothing: how long it took, what it weighs. */
import { sleep } from '../wire/clock.ts'
import { clusterMemory } from './cluster-memory.ts'
import type { Scenario } from './scenario.ts'

const SETTLE_MS = 1500

export const startScenario: Scenario = {
  name: 'start',
  run: async ({ server }) => {
    await sleep(SETTLE_MS)
    const use = server.use()
    return {
      metrics: {
        ...(server.startMs === null ? {} : { startMs: server.startMs }),
        ...(use === null
          ? {}
          : {
              rssMb: use.rssBytes / 1e6,
              ownMb: use.ownBytes / 1e6,
              threads: use.threads,
              databasePssMb: use.databaseBytes / 1e6,
              ...clusterMemory(use),
            }),
      },
    }
  },
}
