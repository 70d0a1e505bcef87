/**
 * What the process tells of itself on GET /metrics, in Prometheus text. Main thread: the gateway
 * counts as it works, shard workers report once a second.
 */
import type { WorkerReport } from '@bellwire/common'
import {
  type Aggregator,
  Counter,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client'
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'

const LATENCY_SECONDS = [
  0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
  5,
]
const BATCH_ROWS = [1, 2, 5, 10, 20, 35, 50, 75, 96]

/** Read when somebody asks for the metrics. */
export interface MetricSources {
  connections(): number
  pendingPublishes(): number
  workerRestarts(): number
  /** Milliseconds since the newest proof of each shard thread. */
  canaryAges(): readonly number[]
  /** Bytes waiting in all lanes of one direction. */
  laneDepth(direction: 'command' | 'delivery'): number
}

export class Metrics {
  /** What only grows. */
  readonly #totals = new Registry()
  /** What is true now. */
  readonly #gauges = new Registry()
  /** Publishes by HTTP status: counted by hand, since a label costs prom-client a hash each time. */
  readonly #publishes = new Map<number, number>()
  readonly #delivered: Histogram
  readonly #committed: Histogram
  readonly #batchSeconds: Histogram
  readonly #batchRows: Histogram
  readonly #channelBuffer: Counter
  readonly #catchUps: Counter
  readonly #frames: Counter
  readonly #workerLag: Gauge
  readonly #users: Gauge
  readonly #databaseUp: Gauge
  readonly #lag: IntervalHistogram

  constructor(sources: MetricSources) {
    const totals = [this.#totals]
    const gauges = [this.#gauges]
    const counter = (name: string, help: string): Counter =>
      new Counter({ name, help, registers: totals })
    const histogram = (name: string, help: string, buckets: number[]): Histogram =>
      new Histogram({ name, help, buckets, registers: totals })
    const perThread = (name: string, help: string, aggregator: Aggregator): Gauge =>
      new Gauge({ name, help, labelNames: ['thread'], aggregator, registers: gauges })
    const read = (
      name: string,
      help: string,
      value: () => number,
      aggregator: Aggregator = 'sum',
    ): void => {
      new Gauge({
        name,
        help,
        aggregator,
        registers: gauges,
        collect: function collect() {
          this.set(value())
        },
      })
    }

    const publishes = this.#publishes
    new Counter({
      name: 'bellwire_publishes_total',
      help: 'Publishes by HTTP status',
      labelNames: ['status'],
      registers: totals,
      collect: function collect() {
        this.reset()
        for (const [status, count] of publishes) this.inc({ status }, count)
      },
    })
    this.#delivered = histogram(
      'bellwire_publish_to_delivered_seconds',
      'From the arrival of a publish to its frame and answer being handed to the sockets',
      LATENCY_SECONDS,
    )
    this.#committed = histogram(
      'bellwire_publish_to_commit_seconds',
      'From the arrival of a publish to its commit',
      LATENCY_SECONDS,
    )
    this.#batchSeconds = histogram(
      'bellwire_commit_seconds',
      'From the sending of a batch to the answer of the database',
      LATENCY_SECONDS,
    )
    this.#batchRows = histogram('bellwire_batch_rows', 'Messages in one commit', BATCH_ROWS)
    this.#channelBuffer = counter(
      'bellwire_channel_buffer_frames_total',
      'Frames that met a socket with a backlog',
    )
    this.#catchUps = counter('bellwire_catch_up_pages_total', 'Pages of the log asked for')
    this.#frames = counter('bellwire_frames_total', 'Frames handed to connections')
    this.#workerLag = perThread(
      'bellwire_worker_lag_seconds',
      'Greatest event-loop delay of a shard worker in the last second',
      'max',
    )
    this.#users = perThread('bellwire_worker_users', 'Users with open connections', 'sum')
    this.#databaseUp = perThread(
      'bellwire_worker_database_up',
      '1 while a worker can commit',
      'min',
    )
    new Gauge({
      name: 'bellwire_canary_age_seconds',
      help: 'Since a shard worker last proved that it can commit and deliver',
      labelNames: ['thread'],
      aggregator: 'max',
      registers: gauges,
      collect: function collect() {
        sources.canaryAges().forEach((age, thread) => this.set({ thread }, age / 1_000))
      },
    })
    read('bellwire_processes', 'Processes that these metrics are the sum of', () => 1)
    read('bellwire_connections', 'Open WebSocket connections', () => sources.connections())
    read('bellwire_pending_publishes', 'Publishes that wait for their commit', () =>
      sources.pendingPublishes(),
    )
    read('bellwire_worker_restarts', 'Shard workers that died since the start', () =>
      sources.workerRestarts(),
    )
    read('bellwire_command_lane_bytes', 'Bytes waiting in all command lanes', () =>
      sources.laneDepth('command'),
    )
    read('bellwire_delivery_lane_bytes', 'Bytes waiting in all delivery lanes', () =>
      sources.laneDepth('delivery'),
    )
    read('bellwire_resident_memory_bytes', 'Memory of the process', () => process.memoryUsage.rss())
    this.#lag = monitorEventLoopDelay({ resolution: 20 })
    this.#lag.enable()
    read(
      'bellwire_gateway_lag_seconds',
      'Greatest event-loop delay since the last scrape',
      () => {
        const lagMs = Math.max(0, this.#lag.max / 1e6 - 20)
        this.#lag.reset()
        return lagMs / 1_000
      },
      'max',
    )
  }

  /** Counts a publish that was answered. */
  published(status: number, milliseconds: number): void {
    this.#publishes.set(status, (this.#publishes.get(status) ?? 0) + 1)
    if (status === 200) this.#delivered.observe(milliseconds / 1_000)
  }

  channelBufferUsed(): void {
    this.#channelBuffer.inc()
  }

  catchUpStarted(): void {
    this.#catchUps.inc()
  }

  framesSent(count: number): void {
    this.#frames.inc(count)
  }

  report(thread: number, report: WorkerReport): void {
    for (const { milliseconds, publishMs } of report.batches) {
      this.#batchRows.observe(publishMs.length)
      this.#batchSeconds.observe(milliseconds / 1_000)
      for (const each of publishMs) this.#committed.observe(each / 1_000)
    }
    this.#workerLag.set({ thread }, report.lagMs / 1_000)
    this.#users.set({ thread }, report.users)
    this.#databaseUp.set({ thread }, report.databaseUp ? 1 : 0)
  }

  /** Prometheus text exposition format, version 0.0.4. */
  text(): Promise<string> {
    return Registry.merge([this.#totals, this.#gauges]).metrics()
  }

  /** Counters and histograms as data, for the sum over processes (cluster/summed-metrics.ts). */
  totals(): Promise<MetricObjectWithValues<MetricValue<string>>[]> {
    return this.#totals.getMetricsAsJSON()
  }

  /** Gauges as data. Those of a time that ends with each look begin anew. */
  gauges(): Promise<MetricObjectWithValues<MetricValue<string>>[]> {
    return this.#gauges.getMetricsAsJSON()
  }

  close(): void {
    this.#lag.disable()
  }
}
