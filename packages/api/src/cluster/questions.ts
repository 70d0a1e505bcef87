/**
 * Questions of a member to its primary, with the answers brought back to who asked. Main thread of
 * a member.
 */

/** The primary needs a second and a half at most, for a member that is late. */
const PATIENCE_MS = 2_000

export class Questions<Answer> {
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #last = 0

  /** @returns null when the primary does not answer */
  async ask(put: (question: number) => void): Promise<Answer | null> {
    const question = ++this.#last
    try {
      return await new Promise((resolve) => {
        const patience = setTimeout(() => resolve(null), PATIENCE_MS)
        this.#waiting.set(question, (answer) => {
          clearTimeout(patience)
          resolve(answer)
        })
        put(question)
      })
    } finally {
      this.#waiting.delete(question)
    }
  }

  answered(question: number, answer: Answer): void {
    this.#waiting.get(question)?.(answer)
  }
}
