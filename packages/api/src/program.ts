/** What main.ts runs: one process alone, the primary of a cluster, or one of its members. */
export interface Program {
  /** Finishes what was accepted; resolves when nothing is left running. */
  stop(): Promise<void>
  /** Takes up changed settings without a pause, on SIGHUP; absent where that cannot be done. */
  readonly reload?: () => void
  /** Rejects with the reason when the program cannot go on. */
  readonly failure?: Promise<never>
}
