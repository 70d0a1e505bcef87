/**
 * Latency distributions: HDR histograms of microseconds with three significant digits up to 2 minutes,
 * filled in the agents, sent to the coordinator as text and added up there.
 */
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js'

const HIGHEST_US = 120_000_000

export function newHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 64,
  })
}

/** Values below 1 us count as 1, values above two minutes as two minutes: nothing is left out. */
export function record(histogram: Histogram, microseconds: number): void {
  histogram.recordValue(Math.min(HIGHEST_US, Math.max(1, Math.round(microseconds))))
}

/** The histogram as text that `mergeEncoded` reads. */
export function encodeHistogram(histogram: Histogram): string {
  return encodeIntoCompressedBase64(histogram)
}

export function mergeEncoded(encoded: readonly string[]): Histogram {
  const sum = newHistogram()
  for (const text of encoded) sum.add(decodeFromCompressedBase64(text))
  return sum
}

/** The figures a report shows of one distribution, keyed `<prefix>P50Ms` and so on; empty when nothing was recorded. */
export function percentileMetrics(prefix: string, histogram: Histogram): Record<string, number> {
  if (histogram.totalCount === 0) return {}
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1000
  return {
    [`${prefix}P50Ms`]: at(50),
    [`${prefix}P90Ms`]: at(90),
    [`${prefix}P95Ms`]: at(95),
    [`${prefix}P99Ms`]: at(99),
    [`${prefix}P999Ms`]: at(99.9),
    [`${prefix}MaxMs`]: histogram.maxValue / 1000,
  }
}
