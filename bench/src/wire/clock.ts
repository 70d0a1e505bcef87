/**
 * The one clock of the suite: microseconds of the machine's monotonic clock, the same number in every
 * process of one machine, so that a stamp written by a publisher can be read by a subscriber elsewhere.
 */
import { performance } from 'node:perf_hooks'

const MONOTONIC_OFFSET_US = Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000

/** Microseconds since the machine booted (Linux CLOCK_MONOTONIC), with sub-microsecond parts cut off. */
export function nowUs(): number {
  return Math.floor(performance.now() * 1000 + MONOTONIC_OFFSET_US)
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
