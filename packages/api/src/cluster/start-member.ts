/**
 * A member of a cluster: a gateway on the shared port and the primary's database. It ends when the
 * primary says so, or is gone. Until it is told to start it is a spare. Main thread of a member;
 * called by main.ts.
 */
import type { Logger } from '@bellwire/common'
import type { Config } from '@bellwire/common/config'
import { migrate } from '@bellwire/common/db'
import { type OwnAccount, startGateway } from '../gateway.ts'
import type { Health } from '../health/health.ts'
import { StartError } from '../http/start-error.ts'
import type { Program } from '../program.ts'
import { HealthOfAll } from './health-of-all.ts'
import { type FromMember, MEMBER_ARGUMENT, SPARE_ARGUMENT, type ToMember } from './ipc.ts'
import { processMetrics, SummedMetrics } from './summed-metrics.ts'

interface Serving {
  readonly own: OwnAccount
  readonly metrics: SummedMetrics
  readonly health: HealthOfAll
}

/** Of a member that ends: nothing comes to it any more. */
const ENDING: Health = { takesMessages: true, unready: null }

/**
 * @param askToStop ends this process as a signal would
 * @param stopping aborted once it was asked to
 * @throws {StartError} with one line that says why it cannot start.
 */
export async function startMember(
  config: Config,
  log: Logger,
  askToStop: (reason: string) => void,
  stopping: AbortSignal,
): Promise<Program> {
  let serving: Serving | null = null
  let ending = false

  /** Answers on the thread that owns the sockets, so what keeps them waiting keeps this waiting. */
  async function tellAlive(told?: () => void): Promise<void> {
    tell({ kind: 'alive', totals: (await serving?.own.metrics.totals()) ?? [] }, told)
  }

  async function tellMetrics(question: number): Promise<void> {
    if (serving === null) return
    tell({ kind: 'measures', question, metrics: await processMetrics(serving.own.metrics) })
  }

  async function tellHealth(question: number): Promise<void> {
    if (serving === null) return
    tell({ kind: 'health', question, health: ending ? ENDING : await serving.own.health() })
  }

  const start = await new Promise<Extract<ToMember, { kind: 'start' }>>((resolve, reject) => {
    process.once('disconnect', () => {
      // Of the two only the one that comes in time counts.
      reject(new StartError('the primary is gone'))
      askToStop('the primary is gone')
    })
    // A spare has nothing to finish, and must not take a seat only to leave it.
    stopping.addEventListener('abort', () => reject(new StartError('it was told to stop')))
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
          return serving?.metrics.answered(message.question, message.others)
        case 'look':
          return void tellHealth(message.question)
        case 'others-health':
          return serving?.health.answered(message.question, message.health)
      }
    })
    tell({ kind: 'loaded' })
    // Tools tell both by their command lines. After the word, so that who has this name has said it.
    process.title = `bellwire ${SPARE_ARGUMENT}`
  })
  const { number, connection, port } = start
  process.title = `bellwire ${MEMBER_ARGUMENT} ${number}`
  log.setBindings({ member: number })
  // The primary may be older than this member, when a roll takes up a new program.
  await migrate(connection)
  const gateway = await startGateway({
    ...{ config, connection, log },
    shared: true,
    sharedPort: port,
    forAll: (own) => {
      const metrics = new SummedMetrics(own.metrics, (question, totals) =>
        tell({ kind: 'ask-others', question, totals }),
      )
      const health = new HealthOfAll(own.health, (question) => {
        tell({ kind: 'ask-health', question })
      })
      serving = { own, metrics, health }
      return { metrics, health: health.look }
    },
  })
  const { address } = gateway
  log.info({ address }, 'member listens')
  tell({ kind: 'listening', address })
  return {
    async stop() {
      ending = true
      tell({ kind: 'leaving' })
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
