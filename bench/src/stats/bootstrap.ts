/**
 * The ratio of two measurements with its uncertainty: percentile bootstrap over the rounds of each side.
 * With few rounds the interval is little more than the span of the rounds' own ratios; it never claims more.
 */
import { median } from './summary.ts'

const RESAMPLES = 4000

export interface Ratio {
  /** Median of `b` over median of `a`. */
  readonly ratio: number
  /** 95 % interval. */
  readonly low: number
  readonly high: number
}

/** Same input, same answer: resampling uses its own seeded generator. */
export function ratioOfMedians(a: readonly number[], b: readonly number[]): Ratio {
  const random = seededRandom(0x5eed)
  const ratios: number[] = []
  for (let i = 0; i < RESAMPLES; i += 1) {
    ratios.push(median(resample(b, random)) / median(resample(a, random)))
  }
  ratios.sort((x, y) => x - y)
  const at = (share: number): number => ratios[Math.floor(share * (RESAMPLES - 1))] ?? Number.NaN
  return { ratio: median(b) / median(a), low: at(0.025), high: at(0.975) }
}

function resample(values: readonly number[], random: () => number): number[] {
  return values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN)
}

/** mulberry32: 32 bits of state, good enough to draw indexes. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
