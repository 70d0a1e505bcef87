/**
 * The publishers of one agent. Closed loop: every connection sends its next message when the last one was
 * answered. Open loop: message k is due at start + k / rate whether or not the server keeps up, and its latency
 * counts from then, so a stalled server shows in the figures (no coordinated omission).
 */
import { encodeHistogram, newHistogram, record } from '../stats/latency.ts'
import { nowUs } from '../wire/clock.ts'
import { prepareRequest, Publisher, type PreparedRequest } from '../wire/publisher.ts'
import type { PublishCommand, PublishResult } from './commands.ts'

/** After the last due moment, how long answers that are still missing are waited for. */
const GRACE_US = 10_000_000

export function publish(command: PublishCommand): Promise<PublishResult> {
  return new PublishRun(command).run()
}

class PublishRun {
  readonly #command: PublishCommand
  readonly #requests: readonly PreparedRequest[]
  readonly #publishers: Publisher[] = []
  readonly #idle: Publisher[] = []
  readonly #latency = newHistogram()
  readonly #lag = newHistogram()
  #sent = 0
  #accepted = 0
  #failed = 0
  #recorded = 0
  #lastRecordedUs = 0
  #firstUs = 0

  constructor(command: PublishCommand) {
    this.#command = command
    this.#requests = command.tokens.map((token) =>
      prepareRequest(command.target, token, command.messageBytes),
    )
  }

  run(): Promise<PublishResult> {
    const { connections, target } = this.#command
    for (let i = 0; i < connections; i += 1) {
      const publisher = new Publisher(target, (which, status) => this.#answered(which, status))
      this.#publishers.push(publisher)
      this.#idle.push(publisher)
    }
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        this.#pump()
        if (!this.#finished()) return
        clearInterval(timer)
        for (const publisher of this.#publishers) publisher.close()
        resolve(this.#result())
      }, 1)
    })
  }

  /** Sends what is due; runs on every answer and every millisecond. */
  #pump(): void {
    const now = nowUs()
    if (now < this.#command.startUs) return
    while (this.#idle.length > 0 && !this.#exhausted(now)) {
      const dueUs = this.#nextDueUs(now)
      if (dueUs > now) return
      const publisher = this.#idle.pop()
      const request = this.#requests[this.#nextRequest()]
      if (publisher === undefined || request === undefined) return
      if (this.#sent === 0) this.#firstUs = dueUs
      this.#sent += 1
      publisher.send(request, dueUs)
      if (dueUs >= this.#command.recordFromUs) record(this.#lag, nowUs() - dueUs)
    }
  }

  #nextRequest(): number {
    const { length } = this.#requests
    return this.#command.inTurn === true ? this.#sent % length : Math.floor(Math.random() * length)
  }

  #nextDueUs(now: number): number {
    const { ratePerSecond, startUs } = this.#command
    return ratePerSecond === 0 ? now : Math.floor(startUs + (this.#sent * 1e6) / ratePerSecond)
  }

  #exhausted(now: number): boolean {
    const { endUs, messageLimit } = this.#command
    return this.#nextDueUs(now) > endUs || (messageLimit > 0 && this.#sent >= messageLimit)
  }

  #finished(): boolean {
    const now = nowUs()
    const drained = this.#idle.length === this.#publishers.length && this.#exhausted(now)
    return drained || now > this.#command.endUs + GRACE_US
  }

  #answered(publisher: Publisher, status: number): void {
    const { recordFromUs, endUs } = this.#command
    const now = nowUs()
    if (status >= 200 && status < 300) {
      this.#accepted += 1
      if (now >= recordFromUs && now <= endUs) {
        this.#recorded += 1
        this.#lastRecordedUs = now
      }
    } else {
      this.#failed += 1
    }
    if (publisher.dueUs >= recordFromUs) record(this.#latency, now - publisher.dueUs)
    this.#idle.push(publisher)
    this.#pump()
  }

  #result(): PublishResult {
    const { recordFromUs, endUs, messageLimit } = this.#command
    const untilUs = messageLimit > 0 ? this.#lastRecordedUs : endUs
    // What was never answered counts with the time it had waited when the run gave up.
    const now = nowUs()
    for (const publisher of this.#publishers) {
      if (!publisher.busy) continue
      this.#failed += 1
      if (publisher.dueUs >= recordFromUs) record(this.#latency, now - publisher.dueUs)
    }
    return {
      accepted: this.#accepted,
      failed: this.#failed,
      recorded: this.#recorded,
      recordedSeconds: Math.max(0, untilUs - recordFromUs) / 1e6,
      firstUs: this.#firstUs,
      latency: encodeHistogram(this.#latency),
      lag: encodeHistogram(this.#lag),
    }
  }
}
