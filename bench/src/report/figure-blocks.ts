/**
 * The figures of MEMORY_ANALYSIS.md and HARDWARE_RECOMMENDATIONS.md, computed from one result. The documents hold the
 * words; a table between `<!-- figures: NAME -->` and `<!-- /figures -->` is written by `fill-documents.ts`, so that no
 * number in them can be older than the result it names.
 */
import { scenariosOf, valuesOf, variantsOf, type RunResult } from '../results/result.ts'
import { ratioOfMedians } from '../stats/bootstrap.ts'
import { fitLine, median } from '../stats/summary.ts'
import { costModel, formula, ramMb } from './cost-model.ts'
import { markdownTable, type Table } from './document.ts'
import { formatNumber } from './figures.ts'
import { medianTable } from './sections.ts'

const REFERENCE = 'shards-256'
const SIZES = [1000, 10_000, 100_000, 1_000_000]
/** Sockets that one process of the sizing table holds: what was held at the file limit of the measured machine. */
const SOCKETS_A_PROCESS = 19_000

const MILLION_OVER = [53, 16, 8, 4]
const CLUSTER_COLUMNS = [
  ...['startMs', 'publishesPerSecond', 'publishP50Ms', 'publishP99Ms', 'deliveryP99Ms'],
  ...['rssMb', 'processRssMb', 'primaryRssMb', 'databasePssMb'],
  ...['serverCpuUsPerPublish', 'databaseCpuUsPerPublish'],
]

const MEMORY_COLUMNS = [
  'growthBytesPerSocket',
  'liveBytesPerSocket',
  'nativeBytesPerSocket',
  'heapBytesPerSocket',
  'kernelBytesPerSocket',
]

/** Every block by its name. */
export function figureBlocks(result: RunResult): Record<string, string> {
  return {
    source: sourceLine(result),
    'socket-price': tablesOf(result, 'idle-memory', MEMORY_COLUMNS, (variant) =>
      /^(defaults|bare-uws)$/.test(variant),
    ),
    'buffer-price': tablesOf(result, 'idle-memory', MEMORY_COLUMNS, isBuffers),
    'buffer-slow-reader': tablesOf(
      result,
      'slow-reader',
      ['growthMb', 'catchUpMs', 'publishP99Ms', 'otherUserP99Ms', 'missing'],
      isBuffers,
    ),
    'shard-price': priceOf(result, 'shards-', 'logical shard'),
    'thread-price': priceOf(result, 'threads-', 'worker thread'),
    'shard-effect': markdownTable(shardEffect(result)),
    scale: tablesOf(
      result,
      'scale-',
      [
        ...['processes', 'socketsHeld', 'connectsPerSecond', 'rssBytesPerSocket'],
        ...['growthBytesPerSocket', 'kernelBytesPerSocket', 'usersReached', 'eachDeliveryP99Ms'],
      ],
      () => true,
    ),
    sizing: sizing(result),
    million: millionByProcesses(result),
    cluster: clusterEffect(result),
    return:
      tablesOf(
        result,
        'return-',
        [
          ...['allBackMs', 'caughtUpMs', 'answers503', 'mostQueriesAtOnce', 'mostConnections'],
          ...['databaseCpuSeconds', 'serverCpuSeconds', 'publishP99Ms', 'missing'],
        ],
        () => true,
      ) || 'Not measured.',
    'publish-cost': publishCost(result),
  }
}

function sourceLine({ machine, commit, startedAt }: RunResult): string {
  const load =
    machine.loadBefore >= 1
      ? ', while the machine had other work: memory is sound, publishing and fan-out say little'
      : ''
  return `Measured ${startedAt.slice(0, 10)} at commit ${commit} on ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, Linux ${machine.kernel}, Node ${machine.node}${load}.`
}

function isBuffers(variant: string): boolean {
  return variant.startsWith('buffers-')
}

function tablesOf(
  result: RunResult,
  prefix: string,
  metrics: readonly string[],
  wanted: (variant: string) => boolean,
): string {
  return scenariosOf(result, prefix)
    .map((scenario) => ({ scenario, variants: variantsOf(result, scenario).filter(wanted) }))
    .filter(({ variants }) => variants.length > 0)
    .map(({ scenario, variants }) =>
      markdownTable(medianTable(result, scenario, variants, metrics)),
    )
    .join('\n\n')
}

/** Empty servers that differ in one count, and the line through them. */
function priceOf(result: RunResult, prefix: string, what: string): string {
  const variants = variantsOf(result, 'start').filter((name) => name.startsWith(prefix))
  const points = variants.flatMap((variant) =>
    valuesOf(result, 'start', variant, 'ownMb').map(
      (megabytes) => [Number(variant.slice(prefix.length)), megabytes] as const,
    ),
  )
  if (points.length === 0) return 'Not measured.'
  const { slope, rSquared } = fitLine(points)
  const table = medianTable(result, 'start', variants, ['startMs', 'rssMb', 'ownMb', 'threads'])
  const share = rSquared < 0.5 ? ', too little to tell from noise' : ''
  return `${markdownTable(table)}\n\nLine through ${points.length} starts: ${formatNumber(slope * 1000)} KB for each ${what} (R² ${rSquared.toFixed(2)}${share}).`
}

/** Each shard count against 256: the ratio of the medians and its interval. */
function shardEffect(result: RunResult): Table {
  const columns = [
    ['publish-closed-64', 'publishesPerSecond', 'publishes a second'],
    ['publish-open-1000', 'publishP99Ms', 'publish p99 at 1,000/s'],
    ['fan-out-5000', 'framesPerSecond', 'fan-out frames a second'],
    ['start', 'ownMb', 'memory of the empty server'],
  ] as const
  const variants = variantsOf(result, 'start').filter((name) => name.startsWith('shards-'))
  return {
    head: ['against 256 shards', ...columns.map(([, , title]) => title)],
    rows: variants.map((variant) => [
      variant,
      ...columns.map(([scenario, metric]) => {
        const base = valuesOf(result, scenario, REFERENCE, metric)
        const own = valuesOf(result, scenario, variant, metric)
        if (base.length === 0 || own.length === 0) return '-'
        if (variant === REFERENCE) return formatNumber(median(own))
        const { ratio, low, high } = ratioOfMedians(base, own)
        return `x ${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
      }),
    ]),
  }
}

/** RAM for N sockets; where a scale run held as many, what it measured stands beside it. */
function sizing(result: RunResult): string {
  const model = costModel(result)
  if (model === null) return 'Not measured.'
  const rows = SIZES.map((sockets) => {
    const processes = Math.ceil(sockets / SOCKETS_A_PROCESS)
    const held = median(valuesOf(result, `scale-${sockets}`, 'defaults', 'rssMb'))
    return [
      sockets.toLocaleString('en-US'),
      String(processes),
      `${formatNumber(ramMb(model, sockets, processes))} MB`,
      Number.isNaN(held) ? 'not held here' : `${formatNumber(held)} MB`,
    ]
  })
  const table = markdownTable({
    head: ['sockets', 'processes', 'RAM, extrapolated', 'server processes, measured (RSS)'],
    rows,
  })
  return `${table}\n\n${formula(model)}. Processes: one for each ${SOCKETS_A_PROCESS.toLocaleString('en-US')} sockets, the file limit of the measured machine; with a higher limit fewer do.`
}

/** The same number of sockets over fewer processes, for machines with a higher file limit. */
function millionByProcesses(result: RunResult): string {
  const model = costModel(result)
  if (model === null) return 'Not measured.'
  return markdownTable({
    head: ['processes', 'sockets a process', 'RAM, extrapolated'],
    rows: MILLION_OVER.map((processes) => [
      String(processes),
      Math.ceil(1e6 / processes).toLocaleString('en-US'),
      `${formatNumber(ramMb(model, 1e6, processes) / 1000)} GB`,
    ]),
  })
}

/** Clusters under the same load, each against one process. */
function clusterEffect(result: RunResult): string {
  const tables = scenariosOf(result, 'cluster-').map((scenario) =>
    markdownTable(medianTable(result, scenario, variantsOf(result, scenario), CLUSTER_COLUMNS)),
  )
  const ratios = scenariosOf(result, 'cluster-closed').flatMap((scenario) => {
    const of = (variant: string): number[] =>
      valuesOf(result, scenario, variant, 'publishesPerSecond')
    const one = of('processes-1')
    return variantsOf(result, scenario)
      .filter((variant) => variant !== 'processes-1' && one.length > 0)
      .map((variant) => {
        const { ratio, low, high } = ratioOfMedians(one, of(variant))
        const publishers = scenario.split('-').at(-1) ?? ''
        return `${variant} at ${publishers} publishers: x ${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
      })
  })
  if (tables.length === 0) return 'Not measured.'
  if (ratios.length === 0) return tables.join('\n\n')
  return `${tables.join('\n\n')}\n\nPublishes a second against one process, with the 95 % interval: ${ratios.join('; ')}.`
}

/** CPU time a publish, from which the rate of a bigger machine can be estimated. */
function publishCost(result: RunResult): string {
  const scenarios = scenariosOf(result, 'publish-')
  return scenarios
    .map((scenario) =>
      markdownTable(
        medianTable(
          result,
          scenario,
          variantsOf(result, scenario).filter((name) => /^(defaults|bare-uws)$/.test(name)),
          [
            'publishesPerSecond',
            'publishP99Ms',
            'serverCpuUsPerPublish',
            'databaseCpuUsPerPublish',
          ],
        ),
      ),
    )
    .join('\n\n')
}
