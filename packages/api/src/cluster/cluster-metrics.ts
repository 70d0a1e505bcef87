/**
 * The primary's part in GET /metrics: gets one member the metrics of all the others, and of those
 * that have ended what they counted, because a counter that falls is a restart to Prometheus. Main
 * thread of the primary.
 */
import type { MetricList, MetricsMessage, ProcessMetrics } from './ipc.ts'
import type { Member } from './member.ts'
import { Rounds } from './rounds.ts'
import { addTotals } from './totals.ts'

/** A member that has not answered by then counts with its last known totals, without gauges. */
const PATIENCE_MS = 1_000

export class ClusterMetrics {
  /** What each member that listens was last known to have counted. */
  readonly #totals = new Map<Member, MetricList>()
  #ended: MetricList = []
  readonly #rounds = new Rounds<MetricList>(PATIENCE_MS)

  /** The member listens. */
  joined(member: Member): void {
    this.#totals.set(member, [])
  }

  /** The process is gone, and its last words were heard. */
  left(member: Member): void {
    this.#ended = addTotals(this.#ended, this.#totals.get(member) ?? [])
    this.#totals.delete(member)
    this.#rounds.left(member)
  }

  hear(member: Member, message: MetricsMessage): void {
    // Whoever asks brings its own: they would be lost to later sums if it were killed now.
    const { totals } = message.kind === 'measures' ? message.metrics : message
    if (this.#totals.has(member)) this.#totals.set(member, totals)
    if (message.kind === 'measures') {
      this.#rounds.answered(member, message.question, message.metrics.gauges)
    } else if (message.kind === 'ask-others') {
      void this.#tellOthers(member, message.question)
    }
  }

  async #tellOthers(member: Member, question: number): Promise<void> {
    member.send({ kind: 'measured', question, others: await this.#others(member) })
  }

  /** The metrics of all but the one who asks. No total is less than in any earlier answer. */
  async #others(asker: Member): Promise<readonly ProcessMetrics[]> {
    const asked = [...this.#totals.keys()].filter((each) => each !== asker)
    const { answers } = await this.#rounds.ask(asked, (member, question) => {
      member.send({ kind: 'measure', question })
    })
    // As it is now, in one turn: whoever ended meanwhile has moved to the ended.
    const others = [...this.#totals].filter(([each]) => each !== asker)
    return [
      { totals: this.#ended, gauges: [] },
      ...others.map(([each, known]) => ({ totals: known, gauges: answers.get(each) ?? [] })),
    ]
  }
}
