/**
 * The program: reads the settings, starts the database and the gateway, and ends them on a signal.
 * The only file that may end the process.
 */
import { createLogger } from '@bellwire/common'
import { ConfigError, describeConfig, loadConfigFromProcess } from '@bellwire/common/config'
import { DatabaseStartError } from '@bellwire/common/db'
import { openDatabase } from './database/open-database.ts'
import { startGateway } from './gateway.ts'
import { StartError } from './http/start-error.ts'
import { welcome } from './welcome.ts'

/** Whatever hangs, the process is gone by then. */
const GRACE_MS = 20_000

async function run(): Promise<void> {
  const { config, warnings } = loadConfigFromProcess()
  const log = createLogger({ level: config.logLevel, name: 'gateway' })
  for (const warning of warnings) log.warn(warning)
  log.info({ settings: describeConfig(config) }, 'Bellwire starts')

  const database = await openDatabase(config, log)
  const gateway = await startGateway({ config, ...database, log }).catch(async (error: unknown) => {
    await database.stop()
    throw error
  })
  log.info({ address: gateway.address, pid: process.pid }, 'Bellwire listens')
  process.stdout.write(welcome(config, gateway))

  let stopping = false
  const stop = (signal: string): void => {
    if (stopping) return
    stopping = true
    log.info({ signal }, 'Bellwire stops')
    setTimeout(() => {
      log.error('not everything could be finished in time')
      process.exit(1)
    }, GRACE_MS).unref()
    gateway
      .stop()
      .finally(() => database.stop())
      .then(
        () => {
          log.info('Bellwire stopped')
          process.exit(0)
        },
        (error: unknown) => {
          log.error({ err: error }, 'the stop failed')
          process.exit(1)
        },
      )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

run().catch((error: unknown) => {
  const expected =
    error instanceof ConfigError ||
    error instanceof DatabaseStartError ||
    error instanceof StartError
  const text = expected ? error.message : error instanceof Error ? error.stack : String(error)
  process.stderr.write(`Bellwire cannot start: ${text}\n`)
  process.exit(1)
})
