/**
 * Reads for many with few queries: what is asked for while one query is under way gathers for the
 * next one. So ten thousand devices that return cost some dozen queries, and whoever else asks does
 * not wait behind thousands. Gateway (tokens) and shard workers (heads, pages).
 */
import { PushError } from './errors.ts'

/** A query this late holds nobody back any more: its connection may hang, and others do not. */
const LATE_MS = 500
/** Late ones among them, so that a database that hangs leaves connections for other work. */
const MOST_UNDER_WAY = 3

interface Request<Ask, Answer> {
  readonly ask: Ask
  readonly answered: (answer: Answer) => void
  readonly failed: (error: unknown) => void
}

export class GatheredReads<Ask, Answer> {
  readonly #query: (asks: readonly Ask[]) => Promise<readonly Answer[]>
  readonly #most: number
  readonly #waiting: Request<Ask, Answer>[] = []
  #underWay = 0
  /** The query that the next one waits for: it gathers its asks, or is under way and not late. */
  #holder: symbol | null = null

  /**
   * @param query answers all that is asked, in the order asked; one runs at a time unless it is late
   * @param most what one query is asked at the most: bounds its answer, and what fails together
   */
  constructor(query: (asks: readonly Ask[]) => Promise<readonly Answer[]>, most: number) {
    this.#query = query
    this.#most = most
  }

  /**
   * Asked in the next query that has room, first come, first served.
   * @throws what the query throws, for all that it was asked; {PushError} INTERNAL when it left answers out
   */
  read(ask: Ask): Promise<Answer> {
    return new Promise((answered, failed) => {
      this.#waiting.push({ ask, answered, failed })
      this.#next()
    })
  }

  #next(): void {
    const isFree = this.#holder === null && this.#underWay < MOST_UNDER_WAY
    if (!isFree || this.#waiting.length === 0) return
    const query = Symbol('query')
    this.#holder = query
    // Whoever asks in this turn of the loop joins the query.
    setImmediate(() => void this.#ask(query))
  }

  async #ask(query: symbol): Promise<void> {
    this.#underWay++
    const late = setTimeout(() => this.#release(query), LATE_MS)
    await this.#run(this.#waiting.splice(0, this.#most))
    clearTimeout(late)
    this.#underWay--
    this.#release(query)
  }

  #release(query: symbol): void {
    if (this.#holder === query) this.#holder = null
    this.#next()
  }

  async #run(requests: readonly Request<Ask, Answer>[]): Promise<void> {
    try {
      const answers = await this.#query(requests.map(({ ask }) => ask))
      if (answers.length !== requests.length) {
        const text = `Cannot answer ${requests.length} reads with ${answers.length} answers`
        throw new PushError('INTERNAL', text)
      }
      answers.forEach((answer, index) => requests[index]?.answered(answer))
    } catch (error) {
      for (const { failed } of requests) failed(error)
    }
  }
}
