/** One line of the setting tables. The tables feed read-settings.ts, docs/configuration.md and gotify-server.env.example. */
import type { Kind } from '../kinds/kind.ts'

export interface Setting<T> {
  readonly kind: Kind<T>
  /** The text that means the same as leaving the variable out. */
  readonly default: string
  /** Meaning, unit and the effect of 0, in plain sentences. */
  readonly doc: string
  /** True when the value must never be shown. */
  readonly secret?: true
}
