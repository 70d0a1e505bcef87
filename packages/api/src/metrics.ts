/**
 * What the process tells of itself on GET /metrics, in Prometheus text. Main thread: the gateway
 * counts as it works, shard workers report once a second.
 */
import { BATCH_ROW_BOUNDS, LATENCY_BOUNDS, ValueCounts, type WorkerReport } from '@bellwire/common'
import {
  type Aggregator,
  Counter,
  Gauge,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client'
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import { CountedHistogram } from './counted-histogram.ts'

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
  readonly #deliveredMs = new ValueCounts(LATENCY_BOUNDS)
  readonly #committedMs = new ValueCounts(LATENCY_BOUNDS)
  readonly #batchMs = new ValueCounts(LATENCY_BOUNDS)
  readonly #batchRows = new ValueCounts(BATCH_ROW_BOUNDS)
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
    const histogram = (name: string, help: string, values: ValueCounts, divisor: number): void => {
      new CountedHistogram({ name, help, values, divisor, registry: this.#totals })
    }
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
    histogram(
      'bellwire_publish_to_delivered_seconds',
      'From the arrival of a publish to its frame and answer being handed to the sockets',
      this.#deliveredMs,
      1_000,
    )
    histogram(
      'bellwire_publish_to_commit_seconds',
      'From the arrival of a publish to its commit',
      this.#committedMs,
      1_000,
    )
    histogram(
      'bellwire_commit_seconds',
      'From the sending of a batch to the answer of the database',
      this.#batchMs,
      1_000,
    )
    histogram('bellwire_batch_rows', 'Messages in one commit', this.#batchRows, 1)
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
    if (status === 200) this.#deliveredMs.count(milliseconds)
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
    this.#batchRows.add(report.batchRows)
    this.#batchMs.add(report.commitMs)
    this.#committedMs.add(report.publishMs)
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
