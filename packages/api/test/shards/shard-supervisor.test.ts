/** The supervisor over real worker threads, without a gateway around it. */
import { createArena, GatewayRing } from '@bellwire/common/ring'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import t from 'tap'
import { ShardSupervisor } from '../../src/shards/shard-supervisor.ts'
import { startTestPostgres } from '../support/postgres.ts'

const PATIENCE_MS = 20_000

const connection = await startTestPostgres(t)

t.test('[LIFE25] ShardSupervisor stops while a dead worker waits for its restart', async (t) => {
  const shape = { shardCount: 2, threadCount: 2 }
  const ring = new GatewayRing(createArena({ ...shape, laneBytes: 65_536 }))
  const supervisor = new ShardSupervisor({
    ...shape,
    ring,
    connection,
    shared: false,
    hints: '',
    logLevel: 'silent',
    log: pino({ level: 'silent' }),
    drainShard: () => undefined,
    died: () => undefined,
    replaced: () => undefined,
    report: () => undefined,
  })
  await supervisor.start()
  // Each death but the first doubles the wait: 0, 50, 100, 200 ms.
  for (let death = 0; death < 4; death++) {
    const [worker] = supervisor.workers
    await worker?.terminate()
    if (death === 3) break
    while (supervisor.workers[0] === worker) await sleep(5)
  }
  const [dead] = supervisor.workers
  const stopped = supervisor.stop().then(() => 'stopped')
  t.equal(await Promise.race([stopped, sleep(PATIENCE_MS, 'hangs', { ref: false })]), 'stopped')
  t.equal(supervisor.workers[0], dead, 'and it was not started again for that')
  ring.close()
})
