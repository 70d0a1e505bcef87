/**
 * What a server costs in RAM, as a sum of measured prices: once a host, once a process, once a socket. A reader sizes a
 * machine from it that nobody here has measured.
 */
import { scenariosOf, valuesOf, variantsOf, type RunResult } from '../results/result.ts'
import { fitLine, median } from '../stats/summary.ts'
import { formatNumber } from './figures.ts'

/** Megabytes, but for the last two. */
export interface CostModel {
  /** The primary of a cluster and its spare, RSS; a server of one process has none. */
  readonly primary: number
  /** PostgreSQL without the connections of any process, PSS. */
  readonly database: number
  /** A process without sockets, RSS. */
  readonly process: number
  /** What its first sockets warm up: compiled code, caches, grown heaps. */
  readonly warmUp: number
  /** What PostgreSQL spends on the connections of a process, PSS. */
  readonly connections: number
  /** Bytes of a socket in the process. */
  readonly socket: number
  /** Bytes of a socket in the kernel. */
  readonly kernel: number
}

/** Null when the result has no idle sockets or no empty servers. */
export function costModel(result: RunResult): CostModel | null {
  const memory = scenariosOf(result, 'idle-memory')
    .filter((scenario) => variantsOf(result, scenario).includes('defaults'))
    .at(-1)
  if (memory === undefined) return null
  const idle = (metric: string): number => median(valuesOf(result, memory, 'defaults', metric))
  const socket = idle('liveBytesPerSocket')
  const empty = emptyCluster(result) ?? emptyServer(result)
  const model = {
    ...empty,
    warmUp: ((idle('growthBytesPerSocket') - socket) * idle('socketsHeld')) / 1e6,
    socket,
    kernel: idle('kernelBytesPerSocket'),
    ...inUse(result, empty),
  }
  return Object.values(model).every(Number.isFinite) ? model : null
}

/**
 * Where many users with a socket each were held and got messages, their price is the one to plan
 * with: a user costs more than a socket, and PostgreSQL fills its cache.
 */
function inUse(result: RunResult, { connections }: Empty): Partial<CostModel> {
  const largest = scenariosOf(result, 'scale-')
    .filter((scenario) => variantsOf(result, scenario).includes('defaults'))
    .sort((a, b) => Number(a.split('-').at(-1)) - Number(b.split('-').at(-1)))
    .at(-1)
  if (largest === undefined) return {}
  const of = (metric: string): number => median(valuesOf(result, largest, 'defaults', metric))
  return {
    warmUp: 0,
    socket: of('growthBytesPerSocket'),
    kernel: of('kernelBytesPerSocket'),
    database: of('databasePssMb') - of('processes') * connections,
  }
}

type Empty = Pick<CostModel, 'primary' | 'database' | 'process' | 'connections'>

function emptyCluster(result: RunResult): Empty | null {
  const clusters = variantsOf(result, 'cluster-start').filter((name) => name !== 'processes-1')
  if (clusters.length < 2) return null
  const all = (metric: string): number[] =>
    clusters.flatMap((variant) => valuesOf(result, 'cluster-start', variant, metric))
  const line = fitLine(
    clusters.flatMap((variant) =>
      valuesOf(result, 'cluster-start', variant, 'databasePssMb').map(
        (megabytes) => [Number(variant.split('-').at(-1)), megabytes] as const,
      ),
    ),
  )
  return {
    primary: median(all('primaryRssMb')),
    process: median(all('processRssMb')),
    database: line.intercept,
    connections: line.slope,
  }
}

/** Where no cluster was measured: one process, whose connections are part of the database. */
function emptyServer(result: RunResult): Empty {
  const of = (metric: string): number => median(valuesOf(result, 'start', 'shards-256', metric))
  return { primary: 0, process: of('rssMb'), database: of('databasePssMb'), connections: 0 }
}

/** Megabytes of RAM for `sockets` over `processes` of one host with its own PostgreSQL. */
export function ramMb(model: CostModel, sockets: number, processes: number): number {
  return (
    (processes > 1 ? model.primary : 0) +
    model.database +
    processes * (model.process + model.warmUp + model.connections) +
    (sockets * (model.socket + model.kernel)) / 1e6
  )
}

export function formula(model: CostModel): string {
  const { primary, database, warmUp, connections, socket, kernel } = model
  const megabytes = (value: number): string => `${formatNumber(value)} MB`
  const once = [
    ...(primary > 0
      ? [`${megabytes(primary)} primary and its spare (only with several processes)`]
      : []),
    `${megabytes(database)} PostgreSQL`,
  ]
  const each = [
    `${megabytes(model.process)} empty`,
    ...(warmUp > 0 ? [`${megabytes(warmUp)} warm-up`] : []),
    ...(connections > 0 ? [`${megabytes(connections)} its database connections`] : []),
  ]
  return `RAM = ${once.join(' + ')} + processes x (${each.join(' + ')}) + sockets x (${formatNumber(socket)} in the process + ${formatNumber(kernel)} in the kernel) bytes`
}
