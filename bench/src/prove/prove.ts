/**
 * One proof from its seed to its verdict: a fleet under load, faults for a while, everything healed and drained, and
 * what was acknowledged, committed and delivered compared. Runs in the process that also sends and receives.
 */
import { SeededRandom } from '@bellwire/common/seeded-random'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { check } from './check/check.ts'
import { emptyHistory, type Ending, type History } from './check/history.ts'
import type { Violation } from './check/violation.ts'
import { drain } from './drain.ts'
import { Faults } from './faults/faults.ts'
import { drawSchedule, possibleFaults, type Fault, type FaultKind } from './faults/schedule.ts'
import { findIll, healFleet, numberOfUser, startFleet, stopFleet } from './fleet/fleet.ts'
import { Load } from './load/load.ts'

const USERS = 6
/** For each step to the end: "within 30 s after any single fault", and there were many. */
const DRAIN_LIMIT_MS = 45_000

export interface ProofOptions {
  readonly seed: number
  /** How long faults happen; starting, healing and draining come to it. */
  readonly seconds: number
  readonly hosts: number
  /** Processes of each host; more than 1: a primary and as many members. */
  readonly members: number
  readonly meanPauseMs: number
  readonly say: (line: string) => void
  /** Ends the proof early, in order. */
  readonly signal?: AbortSignal
}

export interface Proof {
  readonly options: ProofOptions
  /** How often each kind was carried out; a kind that cannot happen here is not in it. */
  readonly faults: ReadonlyMap<FaultKind, number>
  readonly history: History
  /** From the end of the last fault until every subscriber had everything, milliseconds; null: they never had. */
  readonly drainMs: number | null
  readonly violations: readonly Violation[]
  /** The history and the logs of all servers, kept where something was found. */
  readonly workDir: string
}

/** @throws {Error} when the fleet does not start, or the reason of the signal; the fleet is stopped then too */
export async function prove(options: ProofOptions): Promise<Proof> {
  const { seed, seconds, meanPauseMs, signal, say } = options
  const random = new SeededRandom(seed)
  const history = emptyHistory()
  const workDir = `${tmpdir()}/bellwire-prove-${process.pid}-${seed}`
  mkdirSync(workDir, { recursive: true })
  const removeWorkDir = (): void => rmSync(workDir, { recursive: true, force: true })
  const onEnd = (ending: Ending): void => void history.endings.push(ending)
  const fleet = await startFleet(workDir, options, USERS, onEnd).catch((error: unknown) => {
    removeWorkDir()
    throw error
  })

  const kinds = possibleFaults(seconds * 1000, fleet.disk.canBeFilled)
  const schedule = drawSchedule(random, seconds * 1000, kinds, meanPauseMs)
  const ports = fleet.hosts.map(({ port }) => port)
  const load = new Load({ tokens: fleet.tokens, ports, random, history })
  const faults = new Faults(fleet, load.subscribers, kinds)
  say(`${schedule.length} faults in ${seconds} s, seed ${seed}`)
  const run = async (): Promise<number | null> => {
    await faults.run(schedule, tellEach(say))
    const start = performance.now()
    const sinceFaultsMs = (): number => performance.now() - start
    const tell = (step: string): void =>
      say(`${step} ${(sinceFaultsMs() / 1000).toFixed(1)} s after the last fault`)
    await healFleet(fleet)
    history.ill.push(...(await findIll(fleet)))
    tell(history.ill.length === 0 ? 'every process healthy' : 'NOT every process healthy:')
    const delivered = await drain({ load, history, limitMs: DRAIN_LIMIT_MS, tell })
    const drainMs = delivered ? sinceFaultsMs() : null
    history.rows = await fleet.database.rows(numberOfUser)
    return drainMs
  }
  const drainMs = await Promise.race([run(), interruption(signal)]).finally(async () => {
    faults.quit()
    load.quit()
    await healFleet(fleet)
    await stopFleet(fleet)
    if (signal?.aborted === true) removeWorkDir()
  })
  const violations = check(history)
  if (violations.length === 0) removeWorkDir()
  else writeFileSync(`${workDir}/history.json`, JSON.stringify({ violations, ...history }))
  return { options, faults: faults.counts, history, drainMs, violations, workDir }
}

function tellEach(say: (line: string) => void): (fault: Fault, done: boolean) => void {
  const start = performance.now()
  return ({ kind, target, lastsMs }, done) => {
    const at = ((performance.now() - start) / 1000).toFixed(1).padStart(6)
    const howLong = lastsMs === 0 ? '' : `, ${(lastsMs / 1000).toFixed(1)} s`
    say(`${at} s  ${kind}${howLong}, at ${target}${done ? '' : ': there was nothing to do it to'}`)
  }
}

/** Rejects with the reason of the signal; never, where there is none. */
function interruption(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted === true) reject(signal.reason as Error)
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}
