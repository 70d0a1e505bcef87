/**
 * A member of a cluster: a gateway on the shared port and the primary's database. It ends when the
 * primary says so, or is gone. Main thread of a member; called by main.ts.
 */
import type { Logger } from '@bellwire/common'
import type { Config } from '@bellwire/common/config'
import { startGateway } from '../gateway.ts'
import { StartError } from '../http/start-error.ts'
import type { Program } from '../program.ts'
import type { FromMember, ToMember } from './ipc.ts'
import { SummedMetrics } from './summed-metrics.ts'

/**
 * @param askToStop ends this process as a signal would
 * @throws {StartError} with one line that says why it cannot start.
 */
export async function startMember(
  config: Config,
  log: Logger,
  askToStop: (reason: string) => void,
): Promise<Program> {
  let measure: (question: number) => void = () => undefined
  const summed = new SummedMetrics((question) => tell({ kind: 'ask-others', question }))
  const start = await new Promise<Extract<ToMember, { kind: 'start' }>>((resolve, reject) => {
    process.once('disconnect', () => {
      // Of the two only the one that comes in time counts.
      reject(new StartError('the primary is gone'))
      askToStop('the primary is gone')
    })
    process.on('message', (message: ToMember) => {
      switch (message.kind) {
        case 'start':
          return resolve(message)
        case 'stop':
          return askToStop('the primary stops')
        case 'measure':
          return measure(message.question)
        case 'measured':
          return summed.answered(message.question, message.others)
      }
    })
  })
  const gateway = await startGateway({
    config,
    connection: start.connection,
    shared: true,
    sharedPort: start.port,
    log,
    summed: (own) => {
      measure = (question) => {
        void own.values().then((metrics) => tell({ kind: 'measures', question, metrics }))
      }
      return { text: async () => summed.text(await own.values()) }
    },
  })
  const { address } = gateway
  log.info({ address }, 'member listens')
  tell({ kind: 'listening', address })
  return { stop: () => gateway.stop() }
}

/** Tells the primary why this member cannot start; resolves when the words are on their way. */
export async function tellFailure(reason: string): Promise<void> {
  await new Promise<void>((resolve) => tell({ kind: 'failed', reason }, resolve))
}

/** To a primary that is gone there is nothing to tell. */
function tell(message: FromMember, told: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, undefined, undefined, told)
  else told()
}
