/** The start of a cluster: database, members, welcome. Main thread of the primary; called by main.ts. */
import type { Logger } from '@bellwire/common'
import type { Config } from '@bellwire/common/config'
import { openDatabase } from '../database/open-database.ts'
import { prepareDatabase } from '../database/prepare-database.ts'
import { portsOf, probeAddresses } from '../http/probe-port.ts'
import { inTurn } from '../http/start-turns.ts'
import { probeFiles } from '../probe-files.ts'
import type { Program } from '../program.ts'
import { welcome } from '../welcome.ts'
import { PATIENCE, type Patience } from './heartbeat.ts'
import { Primary } from './primary.ts'

/**
 * @param program file of the program, started again for each member
 * @param stopping aborted once it is to end: a start that waits for its turn ends then
 * @param patience with members that do not answer
 * @throws {StartError | DatabaseStartError} with one line that says why it cannot start.
 */
export function startPrimary(
  config: Config,
  log: Logger,
  program: string,
  stopping: AbortSignal,
  patience: Patience = PATIENCE,
): Promise<Program> {
  return inTurn({ ports: portsOf(config), stopping, log }, () =>
    start(config, log, program, patience),
  )
}

async function start(
  config: Config,
  log: Logger,
  program: string,
  patience: Patience,
): Promise<Program> {
  // The members share the ports, so none of them would notice a stranger that shares them too.
  const port = await probeAddresses(config)
  await probeFiles(config)
  const database = await openDatabase(config, log)
  const { connection } = database
  const { processes } = config.server.cluster
  const primary = new Primary({ program, processes, connection, port, patience, log })
  try {
    const { madeAdmin } = await prepareDatabase(config, connection, log)
    // Once more: the start of a database takes seconds.
    await probeAddresses({ ...config, server: { ...config.server, port } })
    const address = await primary.start()
    log.info({ address, processes }, 'Bellwire listens')
    process.stdout.write(welcome(config, { address, port, madeAdmin }))
  } catch (error) {
    await primary.stop()
    await database.stop()
    throw error
  }
  return {
    failure: primary.failure,
    reload: () => primary.reload(),
    stop: () => primary.stop().finally(() => database.stop()),
  }
}
