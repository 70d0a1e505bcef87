/**
 * The revokes of the last minute, so that they can be told again to the worker that takes the
 * place of a dead one: a client that was deleted must not keep its socket because of a crash.
 * Main thread, part of the router.
 */
import type { RevokeCommand } from '@bellwire/common'

/** Longer than any command waits in a lane. */
const KEPT_MS = 60_000

export class RecentRevokes {
  /** Oldest first, each once: ids are never given out again. */
  readonly #notedAt = new Map<string, { readonly command: RevokeCommand; readonly at: number }>()

  note(command: RevokeCommand, now: number): void {
    this.#forgetOld(now)
    const key = `${command.userId} ${command.clientId}`
    // A repeated revoke keeps its age, or it would be repeated for ever.
    if (!this.#notedAt.has(key)) this.#notedAt.set(key, { command, at: now })
  }

  recent(now: number): readonly RevokeCommand[] {
    this.#forgetOld(now)
    return [...this.#notedAt.values()].map(({ command }) => command)
  }

  #forgetOld(now: number): void {
    for (const [key, { at }] of this.#notedAt) {
      if (now - at <= KEPT_MS) return
      this.#notedAt.delete(key)
    }
  }
}
