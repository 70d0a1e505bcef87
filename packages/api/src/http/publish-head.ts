/**
 * The head of a publish, copied in one walk: every header is needed to see whether the length of
 * the body is ambiguous, and one walk costs less than asking for each header by its name. Gateway
 * thread; before the credentials are read.
 */
import type { Framing, RawHeaders } from './framing.ts'
import type { HeaderSource } from './header-source.ts'

export class PublishHead implements HeaderSource, Framing {
  readonly lengths: string[] = []
  readonly codings: string[] = []
  readonly #query: string
  readonly #headers = new Map<string, string>()

  /** Must run before the first await of the handler. */
  constructor(req: RawHeaders & HeaderSource) {
    this.#query = req.getQuery() ?? ''
    req.forEach((name, value) => {
      if (name === 'content-length') this.lengths.push(value)
      else if (name === 'transfer-encoding') this.codings.push(value)
      else if (!this.#headers.has(name)) this.#headers.set(name, value)
    })
  }

  getHeader(name: string): string {
    return this.#headers.get(name) ?? ''
  }

  getQuery(): string {
    return this.#query
  }

  /** Bytes that will follow; undefined if they come in chunks. */
  get announcedBytes(): number | undefined {
    return this.codings.length > 0 ? undefined : Number(this.lengths[0] ?? 0)
  }
}
