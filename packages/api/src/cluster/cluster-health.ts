/**
 * The primary's part in GET /health and GET /health/ready: gets the member that is asked the health
 * of all others, because a user whose connection fell to a sick one is not served. Main thread of
 * the primary.
 */
import { type Health, together } from '../health/health.ts'
import type { HealthMessage } from './ipc.ts'
import type { Member } from './member.ts'
import { Rounds } from './rounds.ts'

/** Half a second more than a member needs whose shard threads do not answer. */
const PATIENCE_MS = 1_500

export class ClusterHealth {
  readonly #members: () => Iterable<Member>
  readonly #rounds = new Rounds<Health>(PATIENCE_MS)

  /** @param members those that take connections */
  constructor(members: () => Iterable<Member>) {
    this.#members = members
  }

  left(member: Member): void {
    this.#rounds.left(member)
  }

  hear(member: Member, message: HealthMessage): void {
    if (message.kind === 'health') {
      this.#rounds.answered(member, message.question, message.health)
    } else {
      void this.#tellOthers(member, message.question)
    }
  }

  async #tellOthers(asker: Member, question: number): Promise<void> {
    const others = [...this.#members()].filter((each) => each !== asker)
    const { answers, silent } = await this.#rounds.ask(others, (member, number) => {
      member.send({ kind: 'look', question: number })
    })
    // One that was told to stop meanwhile takes no connections any more.
    const members = new Set(this.#members())
    const hangs = [...silent].some((member) => members.has(member))
    const sick: Health = { takesMessages: false, unready: 'a process of the cluster hangs' }
    const health = together([...answers.values(), ...(hangs ? [sick] : [])])
    asker.send({ kind: 'others-health', question, health })
  }
}
