/** What an import did, for the person who ran it. Main thread; filled by each stage, printed last. */

export type ImportKind = 'users' | 'applications' | 'clients' | 'messages' | 'images'

const KINDS: readonly ImportKind[] = ['users', 'applications', 'clients', 'messages', 'images']

export interface KindCount {
  readonly added: number
  /** From an earlier run. */
  readonly present: number
}

export class ImportReport {
  readonly #counts = new Map<ImportKind, { added: number; present: number }>()
  readonly #leftOut = new Map<string, number>()

  added(kind: ImportKind, count = 1): void {
    this.#count(kind).added += count
  }

  present(kind: ImportKind, count = 1): void {
    this.#count(kind).present += count
  }

  /** @param what in the plural, with the reason: "messages of applications that are gone" */
  leftOut(what: string, count = 1): void {
    if (count > 0) this.#leftOut.set(what, (this.#leftOut.get(what) ?? 0) + count)
  }

  countOf(kind: ImportKind): KindCount {
    return this.#count(kind)
  }

  get allLeftOut(): ReadonlyMap<string, number> {
    return this.#leftOut
  }

  toString(): string {
    const lines = KINDS.map((kind) => {
      const { added, present } = this.#count(kind)
      return `  ${kind.padEnd(13)}${added} new, ${present} here already`
    })
    const leftOut = [...this.#leftOut].map(([what, count]) => `  ${count} ${what}`)
    if (leftOut.length > 0) lines.push('Left out:', ...leftOut)
    return `Imported:\n${lines.join('\n')}\n`
  }

  #count(kind: ImportKind): { added: number; present: number } {
    const known = this.#counts.get(kind)
    if (known !== undefined) return known
    const count = { added: 0, present: 0 }
    this.#counts.set(kind, count)
    return count
  }
}
