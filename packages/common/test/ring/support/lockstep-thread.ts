/** Worker entry of Lockstep: runs one script again and again, stopping at every atomic operation. */
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { ShardIndex } from '../../../src/ids.ts'
import { openArena } from '../../../src/ring/arena.ts'
import { DoorbellWaiter } from '../../../src/ring/doorbell-waiter.ts'
import { Doorbell } from '../../../src/ring/doorbell.ts'
import { LaneReader } from '../../../src/ring/lane-reader.ts'
import { LaneWriter } from '../../../src/ring/lane-writer.ts'
import { TransferReceiver, TransferSender } from '../../../src/ring/transfer.ts'
import { contentOf } from './lane-pair.ts'
import { CONTROL, STATUS, TURN, type ThreadData } from './lockstep.ts'
import { checksumOf, EMPTY, FAILED, REFUSED } from './lockstep-log.ts'

const data = workerData as ThreadData
const { arena: descriptor, script, port } = data
const control = new Int32Array(data.control)
const sleeperControl = new Int32Array(data.sleeper)
const arena = openArena(descriptor)
const real = Atomics
const lane = arena.layout.lane(0, 'command')
const unshared = unsharedWords()
const aborted = new Error('The scheduler ended this run')
let stepping = false
/** What the thread does, unstepped, when all threads are through. */
let finish: () => void = nothing

type Words = Int32Array<SharedArrayBuffer>

const stepped = {
  load: (words: Words, at: number) => step(() => real.load(words, at), at),
  store: (words: Words, at: number, value: number) => {
    const stored = step(() => real.store(words, at, value), at)
    // What a thread does right after it gave something away must not touch it.
    if (at === lane.writeSequence || at === lane.readSequence) stop(at)
    return stored
  },
  or: (words: Words, at: number, value: number) => step(() => real.or(words, at, value)),
  and: (words: Words, at: number, value: number) => step(() => real.and(words, at, value)),
  add: (words: Words, at: number, value: number) => step(() => real.add(words, at, value)),
  sub: (words: Words, at: number, value: number) => step(() => real.sub(words, at, value)),
  exchange: (words: Words, at: number, value: number) =>
    step(() => real.exchange(words, at, value)),
  /** A sleeping thread is one that the scheduler passes over until a notify. */
  waitAsync: (words: Words, at: number, expected: number) => {
    const waits = step(() => (real.load(words, at) === expected ? 1 : 0)) === 1
    if (waits) real.store(control, CONTROL.waiting, 1)
    return waits ? { async: true, value: Promise.resolve('ok') } : { async: false }
  },
  notify: () => step(() => real.exchange(sleeperControl, CONTROL.waiting, 0)),
}
globalThis.Atomics = Object.assign(Object.create(real) as typeof Atomics, stepped)

for (;;) {
  const turn = receiveTurn()
  if (turn === TURN.start) runScript()
  else if (turn === TURN.finish) finish()
  real.store(control, CONTROL.status, STATUS.done)
  real.notify(control, CONTROL.status)
}

function runScript(): void {
  try {
    switch (script.role) {
      case 'writer':
        runWriter(script.lengths)
        break
      case 'reader':
        runReader(script.attempts)
        break
      case 'ringer':
        runRinger(script.shard as ShardIndex, script.records)
        break
      case 'sleeper':
        runSleeper(script.records)
        break
    }
  } catch (error) {
    if (error !== aborted) log(FAILED)
  } finally {
    stepping = false
  }
}

function makeWriter(shard: number): LaneWriter {
  const transfer = new TransferSender(arena, 0, 'command', port)
  return new LaneWriter({ arena, shard, direction: 'command', epoch: 0, transfer })
}

function makeReader(shard: number): LaneReader {
  const transfer = new TransferReceiver(arena, 0, 'command', port)
  return new LaneReader({ arena, shard, direction: 'command', transfer })
}

/** Logs the checksum of what it committed, or REFUSED; scribbles over its claim first. */
function runWriter(lengths: readonly number[]): void {
  const writer = makeWriter(0)
  stepping = true
  for (const [id, length] of lengths.entries()) {
    if (!writer.tryClaim(length)) {
      log(REFUSED)
      continue
    }
    writer.bytes.fill(0xee, writer.offset, writer.offset + length)
    contentOf(id, length).copy(writer.bytes, writer.offset)
    const checksum = checksumOf(writer.bytes, writer.offset, length)
    writer.commit()
    log(checksum)
  }
}

/** Logs the checksum of each record, or EMPTY; after the script it reads what is left. */
function runReader(attempts: number): void {
  while (receiveMessageOnPort(port) !== undefined) continue
  const reader = makeReader(0)
  finish = () => {
    while (readOne(reader)) continue
  }
  stepping = true
  for (let attempt = 0; attempt < attempts; attempt++) readOne(reader)
}

function readOne(reader: LaneReader): boolean {
  if (!reader.peek()) {
    log(EMPTY)
    return false
  }
  stop()
  const checksum = checksumOf(reader.bytes, reader.offset, reader.length)
  reader.release()
  log(checksum)
  return true
}

function runRinger(shard: ShardIndex, records: number): void {
  const writer = makeWriter(shard)
  const doorbell = new Doorbell(arena, arena.layout.threadBell(0))
  stepping = true
  for (let record = 0; record < records; record++) {
    writer.tryClaim(0)
    writer.commit()
    doorbell.mark(shard)
    doorbell.ring()
  }
}

/** Ends when it has read all records; logs how many each pass found. */
function runSleeper(records: number): void {
  const readers = Array.from({ length: descriptor.shardCount }, (_, shard) => makeReader(shard))
  const waiter = new DoorbellWaiter(arena, arena.layout.threadBell(0), {
    direction: 'command',
    first: 0,
    step: 1,
  })
  try {
    stepping = true
    for (let read = 0; read < records;) {
      const visited = waiter.takeDirty((shard) => {
        const reader = readers[shard]
        while (reader?.peek() === true) {
          reader.release()
          read++
        }
      })
      log(read)
      if (visited === 0 && waiter.wait() !== null) stop()
    }
  } finally {
    stepping = false
    waiter.close()
  }
}

/**
 * Words that no thread stores, or that only one thread looks at, in runs of this thread's role: no
 * order could matter for them, so they are no steps.
 */
function unsharedWords(): ReadonlySet<number> {
  if (script.role === 'writer' || script.role === 'reader') return new Set([lane.state])
  return new Set(
    Array.from({ length: descriptor.shardCount }, (_, shard) => shard).flatMap((shard) => {
      const { state, origin, readSequence } = arena.layout.lane(shard, 'command')
      return [state, origin, readSequence]
    }),
  )
}

/** Does one shared operation when the scheduler says so, and logs what it returned. */
function step(operation: () => number, at?: number): number {
  stop(at)
  const seen = operation()
  if (stepping) log(seen)
  return seen
}

/** Waits for this thread's next turn; `at` is the word that the next step is about. */
function stop(at?: number): void {
  if (!stepping || (at !== undefined && unshared.has(at))) return
  control[CONTROL.stops] = (control[CONTROL.stops] ?? 0) + 1
  real.store(control, CONTROL.status, STATUS.stopped)
  real.notify(control, CONTROL.status)
  if (receiveTurn() === TURN.abort) throw aborted
}

function receiveTurn(): number {
  // Asked again, since the notify of an earlier turn may come late.
  while (real.load(control, CONTROL.turn) === TURN.stay) {
    real.wait(control, CONTROL.turn, TURN.stay)
  }
  return real.exchange(control, CONTROL.turn, TURN.stay)
}

function log(value: number): void {
  const length = control[CONTROL.logLength] ?? 0
  control[CONTROL.log + length] = value
  control[CONTROL.logLength] = length + 1
}

function nothing(): void {
  // Most threads have nothing to do then.
}
