/** The primary's part in GET /metrics: gets one member the metrics of all the others. Main thread of the primary. */
import type { ProcessMetrics } from './ipc.ts'
import type { Member } from './member.ts'

/** A member that has not answered by then is left out of the sum. */
const PATIENCE_MS = 1_000

interface Round {
  readonly missing: Set<Member>
  readonly metrics: ProcessMetrics[]
  readonly done: () => void
}

export class MetricsExchange {
  readonly #rounds = new Map<number, Round>()
  #last = 0

  /** Resolves with what came in time. */
  async ask(members: readonly Member[]): Promise<readonly ProcessMetrics[]> {
    if (members.length === 0) return []
    const question = ++this.#last
    const metrics: ProcessMetrics[] = []
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, PATIENCE_MS)
      const done = (): void => {
        clearTimeout(patience)
        resolve()
      }
      this.#rounds.set(question, { missing: new Set(members), metrics, done })
      for (const member of members) member.send({ kind: 'measure', question })
    })
    this.#rounds.delete(question)
    return metrics
  }

  answered(member: Member, question: number, metrics: ProcessMetrics): void {
    const round = this.#rounds.get(question)
    if (round?.missing.delete(member) !== true) return
    round.metrics.push(metrics)
    if (round.missing.size === 0) round.done()
  }
}
