/**
 * What the primary of a cluster and its members tell each other over the channel that Node gives a
 * child process. Rare, so plain objects. Both run the same program, but a roll may start a newer
 * one under an older primary: a kind that is not known is passed over.
 */
import type { DatabaseConnection } from '@bellwire/common/db'
import type { MetricObjectWithValues, MetricValue } from 'prom-client'
import type { Health } from '../health/health.ts'

/** Metrics as prom-client gives and takes them. */
export type MetricList = readonly MetricObjectWithValues<MetricValue<string>>[]

/** All metrics of one process. */
export interface ProcessMetrics {
  /** Counters and histograms: they never fall. */
  readonly totals: MetricList
  readonly gauges: MetricList
}

export type ToMember =
  /** The database is ready: be member `number` and listen on this port. */
  | {
      readonly kind: 'start'
      readonly number: number
      readonly connection: DatabaseConnection
      readonly port: number
    }
  /** Finish what was accepted and end. */
  | { readonly kind: 'stop'; readonly reason: string }
  /** Say that you are alive. */
  | { readonly kind: 'ping' }
  /** Send your metrics. */
  | { readonly kind: 'measure'; readonly question: number }
  /** The metrics of the other members, present and past, that you asked for. */
  | {
      readonly kind: 'measured'
      readonly question: number
      readonly others: readonly ProcessMetrics[]
    }
  /** Say how you are. */
  | { readonly kind: 'look'; readonly question: number }
  /** The health of the other members that you asked for. */
  | { readonly kind: 'others-health'; readonly question: number; readonly health: Health }

export type FromMember =
  | MetricsMessage
  | HealthMessage
  /** Has loaded the program and hears what it is told. */
  | { readonly kind: 'loaded' }
  | { readonly kind: 'listening'; readonly address: string }
  /** Has been told to stop, by the primary or by somebody else, and finishes what it holds. */
  | { readonly kind: 'leaving' }
  /** Cannot start, in one line; the process ends. */
  | { readonly kind: 'failed'; readonly reason: string }

export type MetricsMessage =
  /** The answer to a ping, and the last word before the end. */
  | { readonly kind: 'alive'; readonly totals: MetricList }
  /** Asks for the metrics of the others; brings what it is about to add to them. */
  | { readonly kind: 'ask-others'; readonly question: number; readonly totals: MetricList }
  | { readonly kind: 'measures'; readonly question: number; readonly metrics: ProcessMetrics }

export type HealthMessage =
  | { readonly kind: 'ask-health'; readonly question: number }
  | { readonly kind: 'health'; readonly question: number; readonly health: Health }

/** The argument that makes the program a member. Tools tell members by it, too. */
export const MEMBER_ARGUMENT = 'cluster-member'
/** The argument of a process that becomes a member when one is missing. */
export const SPARE_ARGUMENT = 'cluster-spare'
