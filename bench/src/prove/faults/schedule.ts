/** Draws, from a seed, which fault happens when, where and for how long. Pure; carried out by faults.ts. */
import type { SeededRandom } from '@bellwire/common/seeded-random'

/** What is done, in the words of the table, and how long it lasts: milliseconds, drawn between the two. */
export const FAULTS = {
  'process killed (kill -9)': [100, 1_000],
  'process stopped and started (SIGTERM)': [0, 300],
  'process stopped for a while (SIGSTOP)': [300, 4_000],
  'process without hints': [1_500, 6_000],
  'shard worker killed': [0, 0],
  'PostgreSQL killed (kill -9)': [0, 0],
  'backend of PostgreSQL killed': [0, 0],
  'disk of PostgreSQL full': [800, 3_000],
  'database connections cut': [0, 0],
  'database connections stalled': [500, 6_000],
  'database connections stalled for long': [20_500, 26_000],
  'database out of reach': [500, 4_000],
  'stream cut by its subscriber': [0, 0],
  'subscriber stops reading': [500, 6_000],
  'stream left half-open': [0, 0],
} as const

export type FaultKind = keyof typeof FAULTS

export interface Fault {
  /** Milliseconds since the schedule began. */
  readonly atMs: number
  readonly kind: FaultKind
  /** Which host, connection or subscriber: taken modulo how many there are. */
  readonly target: number
  readonly lastsMs: number
}

/** Those that can be staged, and whose longest is over well before `lengthMs` is. */
export function possibleFaults(lengthMs: number, canFillDisk: boolean): FaultKind[] {
  return (Object.keys(FAULTS) as FaultKind[]).filter(
    (kind) => FAULTS[kind][1] < lengthMs / 2 && (canFillDisk || kind !== 'disk of PostgreSQL full'),
  )
}

/**
 * Faults of all `kinds`, each once before any comes again; they overlap where one lasts longer than the pause behind it.
 * @param meanPauseMs between the beginnings of two faults
 */
export function drawSchedule(
  random: SeededRandom,
  lengthMs: number,
  kinds: readonly FaultKind[],
  meanPauseMs: number,
): Fault[] {
  const faults: Fault[] = []
  let left: FaultKind[] = []
  let atMs = 0
  for (;;) {
    atMs += meanPauseMs * random.between(0.4, 1.6)
    if (left.length === 0) left = random.shuffled(kinds)
    const kind = left.pop()
    if (atMs > lengthMs || kind === undefined) return faults
    const [shortest, longest] = FAULTS[kind]
    const lastsMs = Math.round(random.between(shortest, longest))
    faults.push({ atMs: Math.round(atMs), kind, target: random.below(1_000_000), lastsMs })
  }
}
