/** Small statistics on the rounds of one measurement: median, spread, straight-line fit. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  if (sorted.length % 2 === 1) return upper
  return ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

export interface Line {
  readonly slope: number
  readonly intercept: number
  /** Share of the variance that the line explains, 0..1. */
  readonly rSquared: number
}

/** Least-squares line through the points; needs two different x. */
export function fitLine(points: readonly (readonly [number, number])[]): Line {
  const count = points.length
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count
  let xx = 0
  let xy = 0
  let yy = 0
  for (const [x, y] of points) {
    xx += (x - meanX) ** 2
    xy += (x - meanX) * (y - meanY)
    yy += (y - meanY) ** 2
  }
  const slope = xy / xx
  return {
    slope,
    intercept: meanY - slope * meanX,
    rSquared: yy === 0 ? 1 : (xy * xy) / (xx * yy),
  }
}
