/**
 * The program: reads the settings, starts what they ask for (one process, a cluster, or as a child
 * of one a member of it), and ends it on a signal. The only file that may end the process.
 */
import { createLogger, type Logger } from '@bellwire/common'
import { type Config, describeConfig, loadConfigFromProcess } from '@bellwire/common/config'
import { fileURLToPath } from 'node:url'
import { MEMBER_ARGUMENT, SPARE_ARGUMENT } from './cluster/ipc.ts'
import { withUsablePort } from './http/usable-port.ts'
import type { Program } from './program.ts'
import { describeStartFailure } from './start-failure.ts'

/** Whatever hangs, the process is gone by then. Above the 20 s after which a silent database is given up. */
const GRACE_MS = 25_000

const [command = 'serve', ...args] = process.argv.slice(2)
const isMember = command === MEMBER_ARGUMENT || command === SPARE_ARGUMENT
let hasStarted = false
const stopping = new AbortController()

async function run(): Promise<void> {
  const { config: chosen, warnings } = loadConfigFromProcess()
  const config = isMember ? chosen : await withUsablePort(chosen)
  const log = createLogger({ level: config.logLevel, name: 'gateway' })
  if (!isMember) {
    for (const warning of warnings) log.warn(warning)
    log.info({ settings: describeConfig(config) }, 'Bellwire starts')
  }

  const stop = (reason: string): void => {
    if (stopping.signal.aborted) return
    stopping.abort()
    log.info({ reason }, 'Bellwire stops')
    setTimeout(() => {
      log.error('not everything could be finished in time')
      process.exit(1)
    }, GRACE_MS).unref()
    // A start under way comes to its end first: half of one would leave things behind.
    void starting.then(async (program) => {
      try {
        await program.stop()
        log.info('Bellwire stopped')
        process.exit(0)
      } catch (error) {
        log.error({ err: error }, 'the stop failed')
        process.exit(1)
      }
    }, ignore)
  }
  // After the start; one that fails ends the process by itself.
  const reload = (): void => void starting.then((program) => program.reload?.(), ignore)
  process.on('SIGTERM', stop)
  // A terminal tells the whole group; members leave both to their primary.
  process.on('SIGINT', isMember ? ignore : stop)
  // From the first moment on: a process that this signal ends would leave its PostgreSQL behind.
  if (isMember) process.on('SIGHUP', ignore)
  else process.on('SIGHUP', config.server.cluster.processes > 1 ? reload : stop)

  const starting = start(config, log, stop, stopping.signal)
  const { failure } = await starting
  hasStarted = true
  await failure
}

/** Loads what is needed and no more: a primary has no use for what a gateway brings along. */
async function start(
  config: Config,
  log: Logger,
  stop: (reason: string) => void,
  stopping: AbortSignal,
): Promise<Program> {
  if (isMember) {
    const { startMember } = await import('./cluster/start-member.ts')
    return startMember(config, log, stop, stopping)
  }
  if (config.server.cluster.processes > 1) {
    const { startPrimary } = await import('./cluster/start-primary.ts')
    return startPrimary(config, log, fileURLToPath(import.meta.url), stopping)
  }
  const { startAlone } = await import('./start-alone.ts')
  return startAlone(config, log, stopping)
}

/** For what others act on. */
function ignore(): void {
  return
}

if (command !== 'serve' && !isMember) {
  const { runCommand } = await import('./cli.ts')
  process.exit(await runCommand(command, args))
}
run().catch(async (error: unknown) => {
  // Told to stop before there was anything to stop.
  if (error === stopping.signal.reason) process.exit(0)
  const text = describeStartFailure(error)
  if (isMember) {
    // The primary says it, should it come to that.
    const { tellFailure } = await import('./cluster/start-member.ts')
    await tellFailure(text)
  } else {
    process.stderr.write(`Bellwire ${hasStarted ? 'gives up' : 'cannot start'}: ${text}\n`)
  }
  process.exit(1)
})
