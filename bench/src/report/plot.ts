/**
 * Two kinds of plot as plain SVG text: bars with the span of the rounds, and points with their fitted lines.
 * No script and no style sheet, so a plot looks the same in a page, in Markdown and alone.
 */
import { escapeXml } from './document.ts'
import { formatNumber } from './figures.ts'

const WIDTH = 760
const HEIGHT = 320
const LEFT = 70
const RIGHT = 30
const TOP = 64
const BOTTOM = 48
const COLOURS = ['#2563a8', '#d9822b', '#3a8f5c', '#a23e6f', '#6b5bb5', '#5b6b7b', '#b5a032']

export interface Bar {
  readonly value: number
  /** Smallest and largest round. */
  readonly low: number
  readonly high: number
}

export interface BarChart {
  readonly title: string
  /** One group a label on the x axis. */
  readonly groups: readonly string[]
  /** One colour each; bar i belongs to group i, null leaves a gap. */
  readonly series: readonly { readonly name: string; readonly bars: readonly (Bar | null)[] }[]
}

export function barChart(chart: BarChart): string {
  const highest = Math.max(
    ...chart.series.flatMap(({ bars }) => bars.map((bar) => bar?.high ?? 0)),
    LEAST_HEIGHT,
  )
  const scale = niceScale(highest)
  const groupWidth = (WIDTH - LEFT - RIGHT) / chart.groups.length
  const barWidth = Math.min(56, (groupWidth * 0.8) / chart.series.length)
  const showValues = barWidth >= 26
  const y = (value: number): number => verticalAt(value, scale.top)
  const parts: string[] = []
  chart.groups.forEach((group, at) => {
    const middle = LEFT + groupWidth * (at + 0.5)
    parts.push(text(middle, HEIGHT - BOTTOM + 20, group, 'middle'))
    chart.series.forEach(({ bars }, index) => {
      const bar = bars[at]
      if (bar === null || bar === undefined) return
      const x = middle + (index - chart.series.length / 2) * barWidth
      const colour = COLOURS[index % COLOURS.length] ?? '#000'
      parts.push(
        `<rect x="${px(x + 1)}" y="${px(y(bar.value))}" width="${px(barWidth - 2)}" ` +
          `height="${px(HEIGHT - BOTTOM - y(bar.value))}" fill="${colour}"/>`,
        line(x + barWidth / 2, y(bar.low), x + barWidth / 2, y(bar.high), '#1c2430'),
      )
      if (showValues) {
        parts.push(text(x + barWidth / 2, y(bar.high) - 5, formatNumber(bar.value), 'middle', 11))
      }
    })
  })
  return frame(
    chart.title,
    scale,
    chart.series.map(({ name }) => name),
    parts,
  )
}

export interface LineChart {
  readonly title: string
  readonly xTitle: string
  readonly series: readonly {
    readonly name: string
    readonly points: readonly (readonly [number, number])[]
    /** y at a given x; drawn from 0 to the largest x of the series. */
    readonly fit: (x: number) => number
  }[]
}

export function lineChart(chart: LineChart): string {
  const points = chart.series.flatMap((series) => series.points)
  const scale = niceScale(Math.max(...points.map(([, y]) => y), LEAST_HEIGHT))
  const across = niceScale(Math.max(...points.map(([x]) => x), 1))
  const px0 = (value: number): number => LEFT + (value / across.top) * (WIDTH - LEFT - RIGHT)
  const py0 = (value: number): number => verticalAt(value, scale.top)
  const parts: string[] = []
  for (const tick of across.ticks) {
    parts.push(text(px0(tick), HEIGHT - BOTTOM + 18, formatNumber(tick), 'middle'))
  }
  parts.push(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, chart.xTitle, 'middle'))
  chart.series.forEach((series, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? '#000'
    const last = Math.max(0, ...series.points.map(([x]) => x))
    parts.push(line(px0(0), py0(series.fit(0)), px0(last), py0(series.fit(last)), colour))
    for (const [x, y] of series.points) {
      parts.push(`<circle cx="${px(px0(x))}" cy="${px(py0(y))}" r="4" fill="${colour}"/>`)
    }
  })
  return frame(
    chart.title,
    scale,
    chart.series.map(({ name }) => name),
    parts,
  )
}

interface Scale {
  readonly top: number
  readonly ticks: readonly number[]
}

/** A plot of nothing but zeros still has an axis. */
const LEAST_HEIGHT = 1e-6

/** A round upper end at or above `highest`, with four to eight round steps below it. */
function niceScale(highest: number): Scale {
  const magnitude = 10 ** Math.floor(Math.log10(highest))
  const step =
    [0.2, 0.5, 1, 2].map((f) => f * magnitude).find((s) => highest / s <= 6) ?? magnitude * 2
  const count = Math.ceil((highest * 1.05) / step)
  return { top: count * step, ticks: Array.from({ length: count + 1 }, (_, i) => i * step) }
}

function verticalAt(value: number, top: number): number {
  const bounded = Math.min(Math.max(value, 0), top)
  return HEIGHT - BOTTOM - (bounded / top) * (HEIGHT - TOP - BOTTOM)
}

function frame(
  title: string,
  scale: Scale,
  names: readonly string[],
  parts: readonly string[],
): string {
  const grid = scale.ticks.flatMap((tick) => {
    const y = verticalAt(tick, scale.top)
    return [
      line(LEFT, y, WIDTH - RIGHT, y, '#e4e8ee'),
      text(LEFT - 8, y + 4, formatNumber(tick), 'end'),
    ]
  })
  const legend = names.length < 2 ? [] : legendOf(names)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" ` +
      `height="${HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="#1c2430">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT - 54}" y="22" font-size="15" font-weight="600">${escapeXml(title)}</text>`,
    ...legend,
    ...grid,
    ...parts,
    '</svg>',
  ].join('\n')
}

function legendOf(names: readonly string[]): string[] {
  let x = LEFT - 54
  return names.flatMap((name, index) => {
    const at = x
    x += 30 + name.length * 7
    const colour = COLOURS[index % COLOURS.length] ?? '#000'
    return [
      `<rect x="${at}" y="33" width="12" height="12" fill="${colour}"/>`,
      text(at + 17, 43, name, 'start'),
    ]
  })
}

function text(x: number, y: number, content: string, anchor: string, size = 12): string {
  return `<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}" font-size="${size}">${escapeXml(content)}</text>`
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<line x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}" stroke="${colour}" stroke-width="1.5"/>`
}

function px(value: number): string {
  return value.toFixed(1)
}
