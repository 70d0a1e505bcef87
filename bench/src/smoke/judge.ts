/** The bounds of the regression gate, apart from the run, so that they can be tested without one. */

export interface Baseline {
  readonly publishShareOfBare: number
  readonly fanOutShareOfBare: number
  readonly growthBytesPerSocket: number
  /** Publishes that failed, messages that did not arrive, frames out of order: always 0. */
  readonly damage: number
}

const LEAST_THROUGHPUT = 1 / 3
const MOST_MEMORY = 2

export interface Judgement {
  readonly lines: readonly string[]
  readonly collapsed: boolean
}

export function judge(baseline: Baseline, now: Baseline): Judgement {
  const rows = [
    row('publishShareOfBare', baseline, now, (ratio) => ratio < LEAST_THROUGHPUT),
    row('fanOutShareOfBare', baseline, now, (ratio) => ratio < LEAST_THROUGHPUT),
    row('growthBytesPerSocket', baseline, now, (ratio) => ratio > MOST_MEMORY),
  ]
  const damaged = now.damage > 0
  return {
    lines: [
      ...rows.map(({ line }) => line),
      `damage (failed, missing, out of order): ${now.damage}${damaged ? '  COLLAPSED' : ''}`,
    ],
    collapsed: damaged || rows.some(({ collapsed }) => collapsed),
  }
}

function row(
  name: keyof Baseline,
  baseline: Baseline,
  now: Baseline,
  tooFar: (ratio: number) => boolean,
): { line: string; collapsed: boolean } {
  const ratio = now[name] / baseline[name]
  const collapsed = !Number.isFinite(ratio) || tooFar(ratio)
  const line = `${name}: ${now[name].toPrecision(3)}, baseline ${baseline[name].toPrecision(3)}, ratio ${ratio.toFixed(2)}`
  return { line: collapsed ? `${line}  COLLAPSED` : line, collapsed }
}
