/**
 * Carries out the visits one after the other, writes the result file after each, and leaves nothing running: not at
 * the end, not after a failure, not after a signal.
 */
import { Team } from '../agent/team.ts'
import { commitName, machineFacts } from '../results/machine.ts'
import { writeResult, type RunResult, type Sample } from '../results/result.ts'
import type { Metrics, Outcome, Stage } from '../scenarios/scenario.ts'
import { Templates } from '../server/template.ts'
import { nowUs } from '../wire/clock.ts'
import type { Visit } from './plan.ts'
import { say } from './progress.ts'

export class Runner {
  readonly #directory: string
  readonly #verb: string
  readonly #templates: Templates
  readonly #startedAt = new Date()
  readonly #machine = machineFacts()
  readonly #commit = commitName()
  readonly #samples: Sample[] = []
  readonly #failures: string[] = []
  readonly #startedUs = nowUs()
  readonly #teams = new Set<Team>()
  #interrupted = false

  constructor(verb: string, directory: string, users: number) {
    this.#verb = verb
    this.#directory = directory
    this.#templates = new Templates(users, `${directory}/logs`)
  }

  get templates(): Templates {
    return this.#templates
  }

  get interrupted(): boolean {
    return this.#interrupted
  }

  /** Ends the scenario under way; `visitAll` then stops its server and returns. */
  async interrupt(): Promise<void> {
    this.#interrupted = true
    await Promise.all([...this.#teams].map((team) => team.stop()))
  }

  /**
   * Visits until all are done or `interrupt` was called; a visit that fails is noted and the next one goes on. A round
   * that would end after `limitSeconds` of the run is not begun, so that all servers have the same number of rounds.
   */
  async visitAll(visits: readonly Visit[], limitSeconds = Number.POSITIVE_INFINITY): Promise<void> {
    const beganSeconds = this.#elapsedSeconds()
    for (const [index, visit] of visits.entries()) {
      if (this.#interrupted) return
      if (visit.round > 0 && visit.round !== visits[index - 1]?.round) {
        const elapsed = this.#elapsedSeconds()
        if (elapsed + (elapsed - beganSeconds) / visit.round > limitSeconds) {
          say(`Round ${visit.round + 1} would take too long on this machine and is left out`)
          return
        }
      }
      say(`[${index + 1}/${visits.length}] ${visit.variant.name}, round ${visit.round + 1}`)
      try {
        await this.#visit(visit)
      } catch (error) {
        this.fail(`${visit.variant.name}, round ${visit.round + 1}`, error)
      }
      this.save()
    }
  }

  add(scenario: string, variant: string, round: number, outcome: Outcome): void {
    this.#samples.push({ scenario, variant, round, ...outcome })
    say(`    ${scenario.padEnd(22)} ${headline(outcome.metrics)}`)
  }

  fail(where: string, error: unknown): void {
    if (this.#interrupted) return
    const line = `${where}: ${error instanceof Error ? error.message : String(error)}`
    this.#failures.push(line)
    say(`    FAILED ${line}`)
  }

  save(): RunResult {
    const result: RunResult = {
      schema: 1,
      verb: this.#verb,
      startedAt: this.#startedAt.toISOString(),
      seconds: Math.round(this.#elapsedSeconds()),
      commit: this.#commit,
      machine: this.#machine,
      samples: this.#samples,
      failures: this.#failures,
    }
    writeResult(this.#directory, result)
    return result
  }

  #elapsedSeconds(): number {
    return (nowUs() - this.#startedUs) / 1e6
  }

  async #visit(visit: Visit): Promise<void> {
    const { server, tokens } = await this.#templates.start(visit.variant)
    try {
      for (const scenario of visit.scenarios) {
        if (this.#interrupted) return
        await this.withTeam({ server, tokens }, async (stage) => {
          const outcome = await scenario.run(stage)
          this.add(scenario.name, visit.variant.name, visit.round, outcome)
        })
      }
    } finally {
      await server.stop()
    }
  }

  /** Runs `work` with fresh load processes, which end with it. */
  async withTeam(
    place: Omit<Stage, 'team'>,
    work: (stage: Stage) => Promise<void>,
    socketsAnAgent?: number,
  ): Promise<void> {
    const team = new Team(place.server.target, socketsAnAgent)
    this.#teams.add(team)
    try {
      await work({ ...place, team })
    } finally {
      this.#teams.delete(team)
      await team.stop()
    }
  }
}

/** The few figures worth a progress line; the rest is in the result file. */
function headline(metrics: Metrics): string {
  const shown = [
    'startMs',
    'publishesPerSecond',
    'framesPerSecond',
    'connectsPerSecond',
    'growthBytesPerSocket',
    'publishP50Ms',
    'publishP99Ms',
    'deliveryP99Ms',
    'eachPublishesPerSecond',
    'eachDeliveryP99Ms',
    'usersReached',
    'allBackMs',
    'caughtUpMs',
    'answers503',
    'catchUpMs',
    'rssMb',
    'failed',
    'missing',
    'outOfOrder',
  ]
  return shown
    .filter((name) => metrics[name] !== undefined)
    .map((name) => `${name} ${Number((metrics[name] ?? 0).toPrecision(4))}`)
    .join('  ')
}
