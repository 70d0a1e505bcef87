/**
 * Puts a question to many members and gathers what they answer in time. Main thread of the primary;
 * the metrics and the health of a cluster are gathered so.
 */
import type { Member } from './member.ts'

interface Round<Answer> {
  readonly answers: Map<Member, Answer>
  readonly missing: Set<Member>
  readonly done: () => void
}

/** What came of a round. */
export interface Gathered<Answer> {
  readonly answers: ReadonlyMap<Member, Answer>
  /** Those that run and have said nothing; who ended meanwhile is in neither. */
  readonly silent: ReadonlySet<Member>
}

export class Rounds<Answer> {
  readonly #patienceMs: number
  readonly #underWay = new Map<number, Round<Answer>>()
  #last = 0

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  /** Resolves when all have answered or ended, and after the patience with what there is. */
  async ask(
    members: Iterable<Member>,
    put: (member: Member, question: number) => void,
  ): Promise<Gathered<Answer>> {
    const question = ++this.#last
    const answers = new Map<Member, Answer>()
    const missing = new Set(members)
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, this.#patienceMs)
      const done = (): void => {
        clearTimeout(patience)
        resolve()
      }
      this.#underWay.set(question, { answers, missing, done })
      for (const member of missing) put(member, question)
      if (missing.size === 0) done()
    })
    this.#underWay.delete(question)
    return { answers, silent: missing }
  }

  /** An answer to a round that is over is passed over. */
  answered(member: Member, question: number, answer: Answer): void {
    const round = this.#underWay.get(question)
    if (round === undefined) return
    round.answers.set(member, answer)
    expectNoMore(round, member)
  }

  /** The member's process is gone. */
  left(member: Member): void {
    for (const round of this.#underWay.values()) expectNoMore(round, member)
  }
}

function expectNoMore({ missing, done }: Round<unknown>, member: Member): void {
  missing.delete(member)
  if (missing.size === 0) done()
}
