/**
 * Reads what a program of PostgreSQL prints and hands it to the log of the server: nothing is
 * written to a file, so nothing grows. Keeps the last lines to explain an end that nobody asked for.
 */
import type { Logger } from 'pino'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export type DatabaseLogger = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

const KEPT_LINES = 20
const SERIOUS = /^(?:FATAL|PANIC): {2}/
/** Said to each connection that comes while PostgreSQL starts or ends: "... is starting up". */
const TURNED_AWAY = /^FATAL: {2}the database system is /
/** With the lines that belong to one: DETAIL, HINT, and continuations after a tab. */
const SEVERITY = /^(?:[A-Z]+: {2}|\t)/

export class PostgresLog {
  readonly #log: DatabaseLogger
  readonly #recent: string[] = []
  /** Set while PostgreSQL ends at our wish: connections it cuts are no news then. */
  expectEnd = false

  constructor(output: Readable, log: DatabaseLogger) {
    this.#log = log
    createInterface({ input: output }).on('line', (line) => this.#take(line))
  }

  /** Why it ended: the last FATAL or PANIC line, else what was printed without a severity, '' for nothing. */
  reason(): string {
    const serious = this.#recent.findLast((line) => SERIOUS.test(line))
    if (serious !== undefined) return serious.replace(SERIOUS, '')
    return this.#recent.filter((line) => !SEVERITY.test(line)).join(' ')
  }

  /** All that is kept, for patterns to be looked for. */
  text(): string {
    return this.#recent.join('\n')
  }

  #take(line: string): void {
    if (line.trim() === '') return
    if (TURNED_AWAY.test(line)) {
      this.#log.debug({ postgres: line }, 'PostgreSQL reports')
      return
    }
    this.#recent.push(line)
    if (this.#recent.length > KEPT_LINES) this.#recent.shift()
    const level = SERIOUS.test(line) && !this.expectEnd ? 'error' : 'debug'
    this.#log[level]({ postgres: line }, 'PostgreSQL reports')
  }
}
