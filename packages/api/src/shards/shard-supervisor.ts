/**
 * Starts the shard worker threads, watches them, and starts a dead one again. Main thread. A
 * worker owns no socket, so its death closes none: what it answered is still read from its lanes,
 * what it did not answer is failed, and its connections are told to the next one.
 */
import { threadOf, type Logger, type ShardIndex } from '@bellwire/common'
import type { DatabaseConnection } from '@bellwire/common/db'
import type { GatewayRing } from '@bellwire/common/ring'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { FromWorker, WorkerReport, WorkerStart } from '@bellwire/common'

/** Known only by its URL: the gateway imports nothing of the worker. */
const WORKER_FILE = fileURLToPath(import.meta.resolve('@bellwire/shard-worker'))

export interface SupervisorOptions {
  readonly ring: GatewayRing
  readonly shardCount: number
  readonly threadCount: number
  readonly connection: DatabaseConnection
  /** True where several processes write to the database. */
  readonly shared: boolean
  /** GOTIFY_SERVER_CLUSTER_HINTS. */
  readonly hints: string
  readonly logLevel: string
  readonly log: Logger
  /** Reads all that a shard of the dead worker has left. */
  drainShard(shard: ShardIndex): void
  /** The worker is dead and its lanes were drained: fail what waits for it. */
  died(thread: number): void
  /** Its lanes are open again: tell it the connections. */
  replaced(thread: number): void
  report(thread: number, report: WorkerReport): void
}

const FIRST_DELAY_MS = 0
const LAST_DELAY_MS = 5_000
/** A worker that lives this long starts again without delay. */
const STEADY_MS = 10_000
/** A worker that has not ended by then is ended. */
const STOP_MS = 5_000

interface Seat {
  worker: Worker
  /** Resolves when the worker has ended; a dead one says so only once. */
  ended: Promise<void>
  startedAt: number
  delayMs: number
  ready: boolean
}

export class ShardSupervisor {
  readonly #options: SupervisorOptions
  readonly #seats: Seat[] = []
  #stopping = false
  restarts = 0

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  /** Starts every worker; resolves when all are ready. @throws {Error} when one dies before that. */
  async start(): Promise<void> {
    const ready: Promise<void>[] = []
    for (let thread = 0; thread < this.#options.threadCount; thread++) {
      ready.push(this.#spawn(thread, FIRST_DELAY_MS))
    }
    await Promise.all(ready)
  }

  /** True while every worker runs. */
  get allReady(): boolean {
    return this.#seats.every((seat) => seat.ready)
  }

  /** Thread ids as the operating system's tools and the tests know them, by thread number. */
  get workers(): readonly Worker[] {
    return this.#seats.map((seat) => seat.worker)
  }

  /** Lets every worker finish what it accepted and end; one that waits for its restart stays away. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(
      this.#seats.map(async ({ worker, ended }) => {
        worker.postMessage({ kind: 'stop' })
        const late = setTimeout(() => {
          this.#options.log.warn('a shard worker did not stop in time')
          void worker.terminate()
        }, STOP_MS)
        await ended
        clearTimeout(late)
      }),
    )
  }

  #spawn(thread: number, delayMs: number): Promise<void> {
    const { ring, connection, shared, hints, logLevel, log } = this.#options
    const seat = ring.seatFor(thread)
    const workerData: WorkerStart = { seat, connection, shared, hints, logLevel }
    const worker = new Worker(WORKER_FILE, {
      workerData,
      transferList: [seat.port],
      name: `shards-${thread}`,
    })
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    this.#seats[thread] = { worker, ended, startedAt: Date.now(), delayMs, ready: false }
    worker.on('error', (error) => log.error({ err: error, thread }, 'shard worker failed'))
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'report') {
          this.#options.report(thread, message)
          return
        }
        const own = this.#seats[thread]
        if (own?.worker === worker) own.ready = true
        resolve()
      })
      worker.once('exit', (code) => {
        // Only the start waits for this promise; later deaths are handled below.
        reject(new Error(`Shard worker ${thread} ended with code ${code}`))
        if (!this.#stopping) this.#onDeath(thread, code)
      })
    })
  }

  #onDeath(thread: number, code: number): void {
    const { ring, shardCount, threadCount, log } = this.#options
    this.restarts++
    log.error({ thread, code }, 'shard worker ended, starting it again')
    ring.closeThread(thread)
    for (let shard = thread; shard < shardCount; shard += threadCount) {
      if (threadOf(shard as ShardIndex, threadCount) === thread) {
        this.#options.drainShard(shard as ShardIndex)
      }
    }
    this.#options.died(thread)
    ring.resetThread(thread)
    this.#options.replaced(thread)

    const seat = this.#seats[thread]
    const steady = seat !== undefined && Date.now() - seat.startedAt > STEADY_MS
    const before = seat?.delayMs ?? FIRST_DELAY_MS
    const delayMs = steady ? FIRST_DELAY_MS : Math.min(Math.max(before * 2, 50), LAST_DELAY_MS)
    if (seat !== undefined) seat.ready = false
    setTimeout(
      () => {
        if (this.#stopping) return
        // Its end, should it come, is handled by #onDeath.
        this.#spawn(thread, delayMs).catch((error: unknown) => {
          log.debug({ error: String(error) }, 'shard worker ended')
        })
      },
      steady ? 0 : before,
    )
  }
}
