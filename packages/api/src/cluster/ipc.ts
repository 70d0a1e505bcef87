/**
 * What the primary of a cluster and its members tell each other over the channel that Node gives a
 * child process. Rare, so plain objects; both run the same program.
 */
import type { DatabaseConnection } from '@bellwire/common/db'
import type { MetricObjectWithValues, MetricValue } from 'prom-client'

/** All metrics of one process. */
export type ProcessMetrics = readonly MetricObjectWithValues<MetricValue<string>>[]

export type ToMember =
  /** The database is ready: listen on this port. */
  | { readonly kind: 'start'; readonly connection: DatabaseConnection; readonly port: number }
  /** Finish what was accepted and end. */
  | { readonly kind: 'stop' }
  /** Send your metrics. */
  | { readonly kind: 'measure'; readonly question: number }
  /** The metrics of the other members that you asked for. */
  | {
      readonly kind: 'measured'
      readonly question: number
      readonly others: readonly ProcessMetrics[]
    }

export type FromMember =
  | { readonly kind: 'listening'; readonly address: string }
  /** Cannot start, in one line; the process ends. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** Asks for the metrics of the others. */
  | { readonly kind: 'ask-others'; readonly question: number }
  | { readonly kind: 'measures'; readonly question: number; readonly metrics: ProcessMetrics }

/** The argument that makes the program a member; its number follows. */
export const MEMBER_ARGUMENT = 'cluster-member'
