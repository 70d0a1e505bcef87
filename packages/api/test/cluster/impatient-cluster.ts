/** A cluster like any other, but a member that is silent for two seconds is taken for one that hangs. */
import { createLogger } from '@bellwire/common'
import { loadConfigFromProcess } from '@bellwire/common/config'
import { startPrimary } from '../../src/cluster/start-primary.ts'
import { MAIN } from '../support/bellwire.ts'

const { config } = loadConfigFromProcess()
const log = createLogger({ level: config.logLevel, name: 'gateway' })
const program = await startPrimary(config, log, MAIN, new AbortController().signal, {
  ...{ periodMs: 200, questions: 10, loadingQuestions: 300 },
})
process.once('SIGTERM', () => void program.stop())
