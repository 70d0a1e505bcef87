/** Users written straight into the database are like users made over REST: their tokens publish and receive. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import t from 'tap'
import { Team } from '../src/agent/team.ts'
import { DatabaseWatch } from '../src/server/database-watch.ts'
import { fillDatabase } from '../src/server/fill-database.ts'
import { publishOne } from '../src/server/fill.ts'
import { WORK_DIR } from '../src/server/paths.ts'
import { forgetProcesses } from '../src/server/running-record.ts'
import { startServer } from '../src/server/server-process.ts'
import { clusterVariant } from '../src/server/variant.ts'

const USERS = 20

// Two starts of a cluster on a machine that may be busy.
t.setTimeout(180_000)

t.test('a cluster of two serves users of fillDatabase, before and after a restart', async (t) => {
  mkdirSync(WORK_DIR, { recursive: true })
  const directory = mkdtempSync(`${WORK_DIR}/test-`)
  const server = await startServer(clusterVariant(2), directory, `${directory}/log`)
  const team = new Team(server.target)
  t.teardown(async () => {
    await team.stop()
    await server.stop()
    forgetProcesses()
    rmSync(directory, { recursive: true })
  })
  const { applications, clients } = await fillDatabase(directory, USERS, 'u')
  t.match(await team.open(USERS, clients), { opened: USERS, refused: 0 })
  await team.resetDeliveries(Number.POSITIVE_INFINITY)
  const floorId = await publishOne(server.target, applications[0] ?? '')
  for (const application of applications) await publishOne(server.target, application)
  t.match(await team.awaitDeliveries(USERS + 1, 5000), { frames: USERS + 1, outOfOrder: 0 })

  await team.drop()
  for (const application of applications) await publishOne(server.target, application)
  await team.resetDeliveries(Number.POSITIVE_INFINITY)
  await server.halt()
  const back = team.return(floorId)
  await server.startAgain()
  const watch = new DatabaseWatch(directory)
  t.match(await back, { opened: USERS })
  t.match(await team.awaitDeliveries(USERS, 5000), { frames: USERS, open: USERS, outOfOrder: 0 })
  t.ok((await watch.stop()).mostConnections > 1)

  const use = server.use()
  t.equal(use?.memberRssBytes.length, 2, 'both members are seen')
  t.ok((use?.databaseBytes ?? 0) > 1e6, 'and PostgreSQL beside them')
  t.ok((server.mostOpenFiles() ?? 0) > USERS / 2)
})
