/**
 * Finds a process that lives but hangs: it is asked again and again, and too many questions in a
 * row without an answer are the sign. Questions are counted, not time, so that a primary that was
 * paused itself (a laptop that slept, a machine that was moved) blames nobody: it asked nothing
 * meanwhile. Main thread of the primary; one for each member.
 */

export interface Patience {
  readonly periodMs: number
  /** Questions in a row that may stay without an answer. */
  readonly questions: number
  /** The same before the first answer, for a process that loads the program. */
  readonly loadingQuestions: number
}

/**
 * 20 s. The event loop of a member answers, and it stands still for a second or two when ten
 * thousand connections come back, and for several on a machine that swaps: to kill such a one would
 * make things worse. Its users wait no longer than for any other fault (30 s).
 *
 * 60 s to load the program: five times the 12 s that a whole start took on cores with endless loops.
 */
export const PATIENCE: Patience = { periodMs: 2_000, questions: 10, loadingQuestions: 30 }

export interface HeartbeatOptions {
  readonly patience: Patience
  readonly ask: () => void
  /** Called with each question that is due while too many have no answer. */
  readonly onSilence: () => void
}

export class Heartbeat {
  readonly #options: HeartbeatOptions
  #unanswered = 0
  #hasAnswered = false
  #timer: NodeJS.Timeout | null = null

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#beat(), this.#options.patience.periodMs)
  }

  /** True when two questions have no answer; the answer to one may be under way. */
  get isSilent(): boolean {
    return this.#unanswered >= 2
  }

  answered(): void {
    this.#unanswered = 0
    this.#hasAnswered = true
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  #beat(): void {
    const { patience, ask, onSilence } = this.#options
    const most = this.#hasAnswered ? patience.questions : patience.loadingQuestions
    if (this.#unanswered >= most) {
      onSilence()
      return
    }
    this.#unanswered++
    ask()
  }
}
