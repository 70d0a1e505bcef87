/**
 * What the gateway and a worker tell each other outside the lanes: its start, its end, and once a
 * second how it is doing. Travels by the worker's own message port; rare, so plain objects.
 */
import type { DatabaseConnection } from './db/index.ts'
import type { RingSeat } from './ring/index.ts'
import type { Counted } from './value-counts.ts'

/** The `workerData` of a shard worker. */
export interface WorkerStart {
  readonly seat: RingSeat
  readonly connection: DatabaseConnection
  /** True where several processes write to the database. */
  readonly shared: boolean
  /** How processes tell each other of messages: GOTIFY_SERVER_CLUSTER_HINTS. */
  readonly hints: string
  readonly logLevel: string
}

export type ToWorker = { readonly kind: 'stop' }

export type FromWorker = { readonly kind: 'ready' } | WorkerReport

export interface WorkerReport {
  readonly kind: 'report'
  /** The commits since the last report: their rows (BATCH_ROW_BOUNDS). */
  readonly batchRows: Counted
  /** From the sending of a batch to the answer of the database, milliseconds (LATENCY_BOUNDS). */
  readonly commitMs: Counted
  /** From the arrival of a publish at the gateway to its commit, milliseconds (LATENCY_BOUNDS). */
  readonly publishMs: Counted
  /** Greatest delay of the event loop since the last report, milliseconds. */
  readonly lagMs: number
  /** Users with open connections. */
  readonly users: number
  readonly databaseUp: boolean
}
