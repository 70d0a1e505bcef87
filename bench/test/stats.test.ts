/** The arithmetic that every figure goes through. */
import t from 'tap'
import { ratioOfMedians } from '../src/stats/bootstrap.ts'
import {
  encodeHistogram,
  mergeEncoded,
  newHistogram,
  percentileMetrics,
  record,
} from '../src/stats/latency.ts'
import { fitLine, median } from '../src/stats/summary.ts'

t.test('percentileMetrics are within the three digits of the histogram', (t) => {
  const histogram = newHistogram()
  for (let microseconds = 1; microseconds <= 100_000; microseconds += 1)
    record(histogram, microseconds)
  const metrics = percentileMetrics('publish', histogram)
  for (const [name, exact] of [
    ['publishP50Ms', 50],
    ['publishP95Ms', 95],
    ['publishP99Ms', 99],
    ['publishP999Ms', 99.9],
    ['publishMaxMs', 100],
  ] as const) {
    t.ok(Math.abs((metrics[name] ?? 0) / exact - 1) < 0.001, name)
  }
  t.strictSame(percentileMetrics('publish', newHistogram()), {}, 'nothing from nothing')
  t.end()
})

t.test(
  'mergeEncoded adds up what several processes recorded, out-of-range values included',
  (t) => {
    const first = newHistogram()
    const second = newHistogram()
    record(first, 10)
    record(second, 1e12)
    record(second, 0)
    const merged = mergeEncoded([encodeHistogram(first), encodeHistogram(second)])
    t.equal(merged.totalCount, 3)
    t.ok(
      Math.abs(merged.maxValue / 120e6 - 1) < 0.001,
      'a value beyond the range counts as the largest',
    )
    t.end()
  },
)

t.test('median and fitLine', (t) => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.ok(Number.isNaN(median([])))
  const { slope, intercept, rSquared } = fitLine([
    [0, 7],
    [1000, 2007],
    [3000, 6007],
  ])
  t.ok(Math.abs(slope - 2) < 1e-9 && Math.abs(intercept - 7) < 1e-9 && rSquared > 0.999999)
  t.end()
})

t.test('ratioOfMedians: a real difference leaves 1 out of the interval, noise does not', (t) => {
  const faster = ratioOfMedians([100, 102, 98, 101, 99], [150, 148, 152, 151, 149])
  t.ok(faster.low > 1.4 && faster.high < 1.6 && faster.ratio === 1.5)
  const noise = ratioOfMedians([100, 140, 60, 120, 80], [110, 70, 130, 90, 105])
  t.ok(noise.low < 1 && noise.high > 1)
  t.strictSame(
    noise,
    ratioOfMedians([100, 140, 60, 120, 80], [110, 70, 130, 90, 105]),
    'repeatable',
  )
  t.end()
})
