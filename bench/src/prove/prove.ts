/**
 * One proof from its seed to its verdict: a fleet under load, faults for a while, everything healed and drained, and
 * what was acknowledged, committed and delivered compared. Runs in the process that also sends and receives.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { nowUs, sleep } from '../wire/clock.ts'
import { check } from './check/check.ts'
import { emptyHistory, type History } from './check/history.ts'
import type { Violation } from './check/violation.ts'
import { Faults } from './faults/faults.ts'
import { drawSchedule, FAULTS, type FaultKind } from './faults/schedule.ts'
import {
  addUsers,
  healFleet,
  numberOfUser,
  startFleet,
  stopFleet,
  untilHealthy,
  type Fleet,
} from './fleet/fleet.ts'
import { Load } from './load/load.ts'
import { Random } from './random.ts'

const USERS = 6
/** "Within 30 s after any single fault", and there were many. */
const DRAIN_LIMIT_MS = 45_000

export interface ProofOptions {
  readonly seed: number
  /** How long faults happen; starting, healing and draining come to it. */
  readonly seconds: number
  readonly hosts: number
  readonly meanPauseMs: number
  readonly say: (line: string) => void
}

export interface Proof {
  readonly options: ProofOptions
  readonly faults: ReadonlyMap<FaultKind, number>
  readonly history: History
  /** From the end of the last fault until every subscriber had everything, milliseconds. */
  readonly drainMs: number
  readonly violations: readonly Violation[]
  /** Data and logs, kept where something was found. */
  readonly workDir: string
}

export async function prove(options: ProofOptions): Promise<Proof> {
  const { seed, seconds, say } = options
  const workDir = `${tmpdir()}/bellwire-prove-${process.pid}-${seed}`
  mkdirSync(workDir, { recursive: true })
  const random = new Random(seed)
  const history = emptyHistory()
  const fleet = await startFleet(workDir, options.hosts, (ending) => history.endings.push(ending))
  try {
    const kinds = (Object.keys(FAULTS) as FaultKind[]).filter(
      (kind) => kind !== 'disk of PostgreSQL full' || fleet.disk.canBeFilled,
    )
    const schedule = drawSchedule(random, seconds * 1000, kinds, options.meanPauseMs)
    const tokens = await addUsers(fleet, USERS)
    const load = new Load({ tokens, ports: fleet.hosts.map(({ port }) => port), random, history })
    const faults = new Faults(fleet, load.subscribers)
    const startUs = nowUs()
    say(`${schedule.length} faults in ${seconds} s, seed ${seed}`)
    await faults.run(schedule, ({ kind, target, lastsMs }, done) => {
      const at = ((nowUs() - startUs) / 1e6).toFixed(1).padStart(6)
      say(`${at} s  ${kind} ${target} ${lastsMs} ms${done ? '' : ' (nothing there to do it to)'}`)
    })
    const drainMs = await drain(fleet, load)
    history.rows = await fleet.database.rows(numberOfUser)
    await stopFleet(fleet)
    const violations = check(history)
    if (violations.length === 0) rmSync(workDir, { recursive: true, force: true })
    return { options, faults: faults.counts, history, drainMs, violations, workDir }
  } catch (error) {
    await stopFleet(fleet)
    throw error
  }
}

/** Heals everything and waits, for a bounded time, until every subscriber has every message. */
async function drain(fleet: Fleet, load: Load): Promise<number> {
  const start = performance.now()
  await healFleet(fleet)
  await untilHealthy(fleet)
  await load.stopPublishing()
  const within = (): boolean => performance.now() - start < DRAIN_LIMIT_MS
  while (within() && !load.isConnected()) await sleep(20)
  // One more for everybody, so that a subscriber which begins with "now" has something to get.
  await load.publishLast()
  const heads = load.heads()
  while (within() && !load.hasReached(heads)) await sleep(20)
  const drainMs = performance.now() - start
  await load.stop()
  return drainMs
}
