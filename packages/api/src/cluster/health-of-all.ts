/**
 * The health that a member tells: its own and that of all others, as sick as the sickest. Main
 * thread of a member; the primary's part is cluster-health.ts.
 */
import { type Health, type HealthQuestion, together } from '../health/health.ts'
import { Questions } from './questions.ts'

export class HealthOfAll {
  readonly #own: HealthQuestion
  readonly #ask: (question: number) => void
  readonly #questions = new Questions<Health>()
  #underWay: Promise<Health> | null = null

  /** @param ask sends the question to the primary */
  constructor(own: HealthQuestion, ask: (question: number) => void) {
    this.#own = own
    this.#ask = ask
  }

  /** The primary's answer. */
  answered(question: number, others: Health): void {
    this.#questions.answered(question, others)
  }

  /** Resolves within 2 s. One question at a time is under way, however many ask. */
  readonly look = (): Promise<Health> => (this.#underWay ??= this.#look())

  async #look(): Promise<Health> {
    try {
      const [own, others] = await Promise.all([this.#own(), this.#questions.ask(this.#ask)])
      return together([own, others ?? NO_PRIMARY])
    } finally {
      this.#underWay = null
    }
  }
}

/** Nobody would replace a member that ends. */
const NO_PRIMARY: Health = {
  takesMessages: false,
  unready: 'the primary of the cluster does not answer',
}
