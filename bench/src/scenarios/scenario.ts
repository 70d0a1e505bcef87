/**
 * What a scenario is: a piece of work done to one running server, whose figures come back as a flat list of named
 * numbers with the unit in the name, so that tables, plots and comparisons need to know nothing else.
 */
import type { Team } from '../agent/team.ts'
import type { Tokens } from '../server/fill.ts'
import type { RunningServer } from '../server/server-process.ts'

export type Metrics = Readonly<Record<string, number>>

export interface Outcome {
  readonly metrics: Metrics
  /** The steps of a scenario that measures along a line, for plots. */
  readonly points?: readonly Metrics[]
}

export interface Stage {
  readonly server: RunningServer
  readonly tokens: Tokens
  readonly team: Team
}

export interface Scenario {
  /** The name in results and tables; also says the load, e.g. `publish-closed-64`. */
  readonly name: string
  readonly run: (stage: Stage) => Promise<Outcome>
}
