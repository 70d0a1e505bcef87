/** The sections of a report, each made from the samples that are there; a section without samples is left out. */
import { scenariosOf, valuesOf, variantsOf, type RunResult } from '../results/result.ts'
import { fitLine, median } from '../stats/summary.ts'
import type { Plot, Section, Table } from './document.ts'
import { formatNumber, metricTitle } from './figures.ts'
import { otherServers, ratioText } from './other-servers.ts'
import { barChart, lineChart, type Bar } from './plot.ts'

/** What a reader compares servers by; CPU is not among them, as some of it may be spent in a database elsewhere. */
const COMPARED = new Set([
  ...['publishesPerSecond', 'publishP50Ms', 'publishP99Ms', 'deliveryP99Ms'],
  ...['framesPerSecond', 'loneP99Ms', 'connectsPerSecond', 'growthBytesPerSocket'],
  ...['startMs', 'rssMb', 'allBackMs', 'catchUpMs', 'messagesPerSecond'],
])

export function machineSection(result: RunResult): Section {
  const { machine } = result
  const rows = [
    [
      'Processor',
      `${machine.cpu}, ${machine.cores} cores${machine.virtual ? ' (virtual machine)' : ''}`,
    ],
    ['Memory', `${machine.memoryGb} GB`],
    ['System', `${machine.system}, Linux ${machine.kernel}`],
    ['Node', machine.node],
    ['Open files a process', machine.openFiles],
    ['Load average before', formatNumber(machine.loadBefore)],
    ['Commit', result.commit],
    ['Started', result.startedAt],
    ['Took', `${Math.floor(result.seconds / 60)} min ${result.seconds % 60} s`],
    ...Object.entries(machine.settings),
  ]
  const busy =
    machine.loadBefore >= 1
      ? [
          `The machine had other work when the run began (load average ${formatNumber(machine.loadBefore)}): latency and throughput say little, memory is sound.`,
        ]
      : []
  const failures = result.failures.map((line) => `Failed and left out: ${line}.`)
  return {
    title: 'The machine',
    text: [
      'Load processes, servers and PostgreSQL share these cores, so figures are lower than with a load machine of its own; compare ratios, not absolute numbers. Bellwire commits messages with fsync before it acknowledges them; bare-uws stores nothing.',
      ...busy,
      ...failures,
    ],
    plots: [],
    tables: [{ head: ['', ''], rows }],
  }
}

/** Bars for `metrics` of one scenario, one group a server, and the table behind them. */
export function barSection(
  result: RunResult,
  scenario: string,
  title: string,
  text: string,
  plotted: readonly string[],
  tabled: readonly string[],
): Section | null {
  const variants = variantsOf(result, scenario)
  if (variants.length === 0) return null
  const plot: Plot = {
    name: scenario,
    alt: title,
    svg: barChart({
      title,
      groups: variants,
      series: plotted.map((metric) => ({
        name: metricTitle(metric),
        bars: variants.map((variant) => barOf(valuesOf(result, scenario, variant, metric))),
      })),
    }),
  }
  return {
    title,
    text: [text],
    plots: [plot],
    tables: [medianTable(result, scenario, variants, tabled)],
  }
}

/** Process memory against sockets, with the fitted line of each server. */
export function memorySection(result: RunResult): Section | null {
  const scenarios = scenariosOf(result, 'idle-memory')
  if (scenarios.length === 0) return null
  const longest = scenarios.at(-1) ?? ''
  const deep = scenarios.reduce((a, b) => (reach(b) > reach(a) ? b : a), longest)
  const names = new Set([
    deep,
    ...scenarios.filter((s) => variantsOf(result, s).includes('bare-uws')),
  ])
  const series = [...names].flatMap((scenario) =>
    variantsOf(result, scenario).map((variant) => {
      const points = result.samples
        .filter((sample) => sample.scenario === scenario && sample.variant === variant)
        .flatMap((sample) => growth(sample.points ?? []))
      const fit = fitLine(points.filter(([sockets]) => sockets > 0))
      return { name: variant, points, fit: (x: number) => fit.intercept + fit.slope * x }
    }),
  )
  const plotted = series.filter(({ points }) => points.length > 0)
  return {
    title: 'Memory of idle sockets',
    text: [
      'The plot shows live memory of the server process: its own memory (without program files) less the free space inside the V8 heaps, above the process without sockets. The slope of the fitted line is the price of a socket, split into native memory (uWebSockets.js, malloc) and the V8 heap after a collection; the first sockets warm up code and caches, so the empty process is not part of the fit. "growth" is the plain figure: all growth of the process since it was empty, divided by the sockets. Kernel memory is half of the slab growth of the machine, as both ends of each socket are on it.',
    ],
    plots:
      plotted.length === 0
        ? []
        : [
            {
              name: 'idle-memory',
              alt: 'Memory against idle sockets',
              svg: lineChart({
                title: 'Memory against idle sockets (MB above the empty server)',
                xTitle: 'sockets',
                series: plotted,
              }),
            },
          ],
    tables: scenarios.map((scenario) =>
      medianTable(result, scenario, variantsOf(result, scenario), [
        'growthBytesPerSocket',
        'liveBytesPerSocket',
        'nativeBytesPerSocket',
        'heapBytesPerSocket',
        'kernelBytesPerSocket',
        'connectsPerSecond',
        'handshakeP99Ms',
        'socketsHeld',
        'socketsLost',
      ]),
    ),
  }
}

/** What each shard and each worker thread adds to an empty server. */
export function startSection(result: RunResult): Section | null {
  const variants = variantsOf(result, 'start')
  if (variants.length === 0) return null
  const text = [
    'An empty server after its start: how long until /health is green, and what it weighs.',
  ]
  for (const [prefix, what] of [
    ['shards-', 'logical shard'],
    ['threads-', 'worker thread'],
  ] as const) {
    const points = variants
      .filter((variant) => variant.startsWith(prefix))
      .flatMap((variant) =>
        valuesOf(result, 'start', variant, 'ownMb').map(
          (mb) => [Number(variant.slice(prefix.length)), mb] as const,
        ),
      )
    if (new Set(points.map(([count]) => count)).size < 2) continue
    const fit = fitLine(points)
    text.push(
      `Fitted over ${points.length} starts, one ${what} costs ${formatNumber(fit.slope * 1000)} KB (R² ${fit.rSquared.toFixed(2)}).`,
    )
  }
  return {
    title: 'Start time and empty size',
    text,
    plots: [],
    tables: [
      medianTable(result, 'start', variants, [
        'startMs',
        'rssMb',
        'ownMb',
        'threads',
        'databasePssMb',
      ]),
    ],
  }
}

export function tableSection(
  result: RunResult,
  prefix: string,
  title: string,
  text: string,
  metrics: readonly string[],
): Section | null {
  const scenarios = scenariosOf(result, prefix)
  if (scenarios.length === 0) return null
  const tables = scenarios.map((scenario) =>
    medianTable(result, scenario, variantsOf(result, scenario), metrics),
  )
  return { title, text: [text], plots: [], tables }
}

/**
 * Medians over the rounds; the first head cell names the scenario. Columns without a value are left out. Beside each
 * figure that servers are compared by stands its ratio to every server of `--against`.
 */
export function medianTable(
  result: RunResult,
  scenario: string,
  variants: readonly string[],
  metrics: readonly string[],
): Table {
  const others = otherServers(variants)
  const columns = metrics
    .filter((metric) =>
      variants.some((variant) => valuesOf(result, scenario, variant, metric).length > 0),
    )
    .flatMap((metric) => {
      const of = (variant: string): number => median(valuesOf(result, scenario, variant, metric))
      return [
        { title: metricTitle(metric), cell: (variant: string) => formatNumber(of(variant)) },
        ...(COMPARED.has(metric) ? others : []).map((other) => ({
          title: `/ ${other}`,
          cell: (variant: string) => ratioText(of(variant), of(other)),
        })),
      ]
    })
  return {
    head: [scenario, ...columns.map(({ title }) => title)],
    rows: variants.map((variant) => [variant, ...columns.map(({ cell }) => cell(variant))]),
  }
}

function barOf(values: readonly number[]): Bar | null {
  if (values.length === 0) return null
  return { value: median(values), low: Math.min(...values), high: Math.max(...values) }
}

function reach(scenario: string): number {
  return Number(scenario.split('-').at(-1))
}

/** Megabytes above the first point. */
function growth(points: readonly Readonly<Record<string, number>>[]): [number, number][] {
  const base = points[0]?.['liveBytes']
  if (base === undefined) return []
  return points.map((point) => [point['sockets'] ?? 0, ((point['liveBytes'] ?? 0) - base) / 1e6])
}
