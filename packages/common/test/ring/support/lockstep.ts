/**
 * A scheduler that runs real threads one atomic operation at a time, and tries every order.
 *
 * Each thread (lockstep-thread.ts) runs the real lane code with a stepped `Atomics`: before every
 * operation, and after every store, it stops until this scheduler lets it go on. What a thread does
 * next depends only on what it has seen so far, so a state is: where each thread stops, its log of
 * seen values, and the shared memory. Two orders that lead to one state have one future and are followed once.
 *
 * This proves the logic under sequential consistency, which is what JavaScript promises for Atomics;
 * lane-stress.test.ts lets the threads run free.
 */
import { once } from 'node:events'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import {
  createArena,
  openArena,
  type Arena,
  type ArenaDescriptor,
} from '../../../src/ring/arena.ts'

/** Word positions in a thread's control block; the log takes the rest. */
export const CONTROL = {
  status: 0,
  turn: 32,
  waiting: 64,
  stops: 65,
  logLength: 66,
  log: 67,
} as const
export const CONTROL_WORDS = 1024

export const STATUS = { running: 0, stopped: 1, done: 2 } as const
export const TURN = { stay: 0, start: 1, go: 2, abort: 3, finish: 4 } as const

/** What one thread does in each run. */
export type Script =
  | { readonly role: 'writer'; readonly lengths: readonly number[] }
  | { readonly role: 'reader'; readonly attempts: number }
  | { readonly role: 'ringer'; readonly shard: number; readonly records: number }
  | { readonly role: 'sleeper'; readonly records: number }

export interface ThreadData {
  readonly control: SharedArrayBuffer
  /** Control block of the first thread, which a notify wakes: only that one may sleep. */
  readonly sleeper: SharedArrayBuffer
  readonly arena: ArenaDescriptor
  readonly script: Script
  readonly port: MessagePort
}

export interface Outcome {
  readonly logs: readonly (readonly number[])[]
  /** True for a thread that sleeps and that nobody has woken. */
  readonly asleep: readonly boolean[]
}

const STUCK_AFTER_MS = 20_000

export class Lockstep {
  readonly arena: Arena
  readonly #controls: Int32Array<SharedArrayBuffer>[] = []
  readonly #workers: Worker[] = []

  /** Starts one thread a script around a new arena with tiny lanes. */
  constructor(scripts: readonly [Script, ...Script[]], shardCount = 1) {
    const descriptor = createArena({ shardCount, threadCount: 1, laneBytes: 64 })
    this.arena = openArena(descriptor)
    const { port1, port2 } = new MessageChannel()
    const sleeper = new SharedArrayBuffer(CONTROL_WORDS * 4)
    for (const [index, script] of scripts.entries()) {
      const control = index === 0 ? sleeper : new SharedArrayBuffer(CONTROL_WORDS * 4)
      const port = [port1, port2][index] ?? new MessageChannel().port1
      const data: ThreadData = { control, sleeper, arena: descriptor, script, port }
      this.#controls.push(new Int32Array(control))
      this.#workers.push(
        new Worker(new URL('lockstep-thread.js', import.meta.url), {
          workerData: data,
          transferList: [port],
        }),
      )
    }
  }

  async ready(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => once(worker, 'online')))
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }

  /**
   * Tries every order of steps and hands each different outcome to `check`.
   *
   * @returns the number of different states that were met.
   */
  explore(
    prepare: (arena: Arena) => void,
    check: (outcome: Outcome, schedule: readonly number[]) => void,
  ): number {
    const met = new Set<string>()
    const untried: number[][] = [[]]
    for (let schedule = untried.pop(); schedule !== undefined; schedule = untried.pop()) {
      this.#start(prepare)
      for (const thread of schedule) this.#turn(thread, TURN.go)
      for (;;) {
        const state = this.#state()
        if (met.has(state)) break
        met.add(state)
        const [next, ...others] = this.#runnable()
        if (next === undefined) {
          check(this.#finish(), schedule)
          break
        }
        for (const other of others) untried.push([...schedule, other])
        schedule.push(next)
        this.#turn(next, TURN.go)
      }
      this.#abort()
    }
    return met.size
  }

  #start(prepare: (arena: Arena) => void): void {
    this.arena.words.fill(0)
    prepare(this.arena)
    for (const [thread, control] of this.#controls.entries()) {
      control.fill(0)
      this.#turn(thread, TURN.start)
    }
  }

  #abort(): void {
    for (const thread of this.#controls.keys()) {
      if (this.#status(thread) !== STATUS.done) this.#turn(thread, TURN.abort)
    }
  }

  /** Lets every thread do what it does after its script, unstepped, and collects the logs. */
  #finish(): Outcome {
    const asleep = this.#controls.map((control) => Atomics.load(control, CONTROL.waiting) === 1)
    for (const thread of this.#controls.keys()) {
      if (this.#status(thread) === STATUS.done) this.#turn(thread, TURN.finish)
    }
    return { logs: this.#controls.map(logOf), asleep }
  }

  /** Lets one thread go on until it stops again. */
  #turn(thread: number, turn: number): void {
    const control = this.#control(thread)
    Atomics.store(control, CONTROL.status, STATUS.running)
    Atomics.store(control, CONTROL.turn, turn)
    Atomics.notify(control, CONTROL.turn)
    // Asked again, since the notify of an earlier stop may come late.
    while (Atomics.load(control, CONTROL.status) === STATUS.running) {
      const waited = Atomics.wait(control, CONTROL.status, STATUS.running, STUCK_AFTER_MS)
      if (waited === 'timed-out') throw new Error(`Thread ${thread} does not stop`)
    }
  }

  #runnable(): number[] {
    return [...this.#controls.keys()].filter(
      (thread) =>
        this.#status(thread) === STATUS.stopped &&
        Atomics.load(this.#control(thread), CONTROL.waiting) === 0,
    )
  }

  #state(): string {
    const logs = this.#controls.map((control) => logOf(control).join())
    const status = [...this.#controls.keys()].map((thread) => this.#status(thread))
    const places = this.#controls.map(
      (control) => `${control[CONTROL.stops] ?? 0}:${control[CONTROL.waiting] ?? 0}`,
    )
    return [logs.join('|'), status, places, this.arena.bytes.toString('latin1')].join(' ')
  }

  #status(thread: number): number {
    return Atomics.load(this.#control(thread), CONTROL.status)
  }

  #control(thread: number): Int32Array<SharedArrayBuffer> {
    const control = this.#controls[thread]
    if (control === undefined) throw new RangeError(`No thread ${thread}`)
    return control
  }
}

function logOf(control: Int32Array): number[] {
  const length = control[CONTROL.logLength] ?? 0
  return [...control.subarray(CONTROL.log, CONTROL.log + length)]
}
