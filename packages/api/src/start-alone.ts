/** One process that does everything: database, gateway, welcome. Main thread; called by main.ts. */
import type { Logger } from '@bellwire/common'
import type { Config } from '@bellwire/common/config'
import { openDatabase } from './database/open-database.ts'
import { prepareDatabase } from './database/prepare-database.ts'
import { startGateway } from './gateway.ts'
import { portsOf, probeAddresses } from './http/probe-port.ts'
import { inTurn } from './http/start-turns.ts'
import { probeFiles } from './probe-files.ts'
import type { Program } from './program.ts'
import { welcome } from './welcome.ts'

/** @throws {StartError | DatabaseStartError} with one line that says why it cannot start. */
export function startAlone(config: Config, log: Logger, stopping: AbortSignal): Promise<Program> {
  return inTurn({ ports: portsOf(config), stopping, log }, () => start(config, log))
}

async function start(config: Config, log: Logger): Promise<Program> {
  await probeAddresses(config)
  await probeFiles(config)
  const database = await openDatabase(config, log)
  try {
    const { connection, shared } = database
    const { madeAdmin } = await prepareDatabase(config, connection, log)
    const gateway = await startGateway({ config, connection, shared, log })
    const { address, port } = gateway
    log.info({ address }, 'Bellwire listens')
    process.stdout.write(welcome(config, { address, port, madeAdmin }))
    return { stop: () => gateway.stop().finally(() => database.stop()) }
  } catch (error) {
    await database.stop()
    throw error
  }
}
