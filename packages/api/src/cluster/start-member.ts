/**
 * A member of a cluster: a gateway on the shared port and the primary's database. It ends when the
 * primary says so, or is gone. Until it is told to start it is a spare. Main thread of a member;
 * called by main.ts.
 */
import type { Logger } from '@bellwire/common'
import type { Config } from '@bellwire/common/config'
import { startGateway } from '../gateway.ts'
import { StartError } from '../http/start-error.ts'
import type { Metrics } from '../metrics.ts'
import type { Program } from '../program.ts'
import { type FromMember, MEMBER_ARGUMENT, SPARE_ARGUMENT, type ToMember } from './ipc.ts'
import { processMetrics, SummedMetrics } from './summed-metrics.ts'

/**
 * @param askToStop ends this process as a signal would
 * @throws {StartError} with one line that says why it cannot start.
 */
export async function startMember(
  config: Config,
  log: Logger,
  askToStop: (reason: string) => void,
): Promise<Program> {
  let serving: { readonly metrics: Metrics; readonly summed: SummedMetrics } | null = null

  /** Answers on the thread that owns the sockets, so what keeps them waiting keeps this waiting. */
  async function tellAlive(told?: () => void): Promise<void> {
    tell({ kind: 'alive', totals: (await serving?.metrics.totals()) ?? [] }, told)
  }

  async function tellMetrics(question: number): Promise<void> {
    if (serving === null) return
    tell({ kind: 'measures', question, metrics: await processMetrics(serving.metrics) })
  }

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
          return askToStop(message.reason)
        case 'ping':
          return void tellAlive()
        case 'measure':
          return void tellMetrics(message.question)
        case 'measured':
          return serving?.summed.answered(message.question, message.others)
      }
    })
    // Tools tell both by their command lines.
    process.title = `bellwire ${SPARE_ARGUMENT}`
    tell({ kind: 'loaded' })
  })
  const { number, connection, port } = start
  process.title = `bellwire ${MEMBER_ARGUMENT} ${number}`
  log.setBindings({ member: number })
  const gateway = await startGateway({
    ...{ config, connection, log },
    shared: true,
    sharedPort: port,
    summed: (metrics) => {
      const summed = new SummedMetrics(metrics, (question, totals) =>
        tell({ kind: 'ask-others', question, totals }),
      )
      serving = { metrics, summed }
      return summed
    },
  })
  const { address } = gateway
  log.info({ address }, 'member listens')
  tell({ kind: 'listening', address })
  return {
    async stop() {
      await gateway.stop()
      await new Promise<void>((resolve) => void tellAlive(resolve))
    },
  }
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
