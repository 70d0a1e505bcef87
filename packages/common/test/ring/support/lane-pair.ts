/**
 * Both ends of one lane on one thread, so that a test decides the order of every step; and the
 * records that tests write: their content follows from their number, so a reader can tell which
 * record it sees and whether each byte is right.
 */
import { MessageChannel } from 'node:worker_threads'
import { createArena, openArena, type Arena } from '../../../src/ring/arena.ts'
import { LaneReader } from '../../../src/ring/lane-reader.ts'
import { LaneWriter } from '../../../src/ring/lane-writer.ts'
import { TransferReceiver, TransferSender } from '../../../src/ring/transfer.ts'

export interface LanePair {
  readonly arena: Arena
  readonly writer: LaneWriter
  readonly reader: LaneReader
  readonly close: () => void
}

/** A command lane of a new arena with one shard, its sequences both at `startSequence`. */
export function lanePair(laneBytes: number, startSequence = 0): LanePair {
  const arena = openArena(createArena({ shardCount: 1, threadCount: 1, laneBytes }))
  const { writeSequence, readSequence } = arena.layout.lane(0, 'command')
  arena.words[writeSequence] = startSequence
  arena.words[readSequence] = startSequence
  const { port1, port2 } = new MessageChannel()
  const lane = { arena, shard: 0, direction: 'command', epoch: 0 } as const
  return {
    arena,
    writer: new LaneWriter({ ...lane, transfer: new TransferSender(arena, 0, 'command', port1) }),
    reader: new LaneReader({ ...lane, transfer: new TransferReceiver(arena, 0, 'command', port2) }),
    close: () => port1.close(),
  }
}

/** Bytes 0..250 over and over: records read from it at different places differ (251 is a prime). */
const PATTERN = Buffer.alloc(
  512 * 1024,
  Uint8Array.from({ length: 251 }, (_, index) => index),
)

/** The one content of record `id` with this length. */
export function contentOf(id: number, byteLength: number): Buffer {
  const start = Math.imul(id, 0x9e3779b1) >>> 16
  return PATTERN.subarray(start, start + byteLength)
}

/** Claims, fills and commits record `id`; false when there is no room. */
export function writeRecord(writer: LaneWriter, id: number, byteLength: number): boolean {
  if (!writer.tryClaim(byteLength)) return false
  contentOf(id, byteLength).copy(writer.bytes, writer.offset)
  writer.commit()
  return true
}

/** Tells whether the record that the reader peeks at is record `id`, every byte of it. */
export function holdsRecord(reader: LaneReader, id: number, byteLength: number): boolean {
  const { bytes, offset, length } = reader
  return (
    length === byteLength &&
    bytes.compare(contentOf(id, byteLength), 0, byteLength, offset, offset + length) === 0
  )
}

/** Lengths that wrap at every place, fill the lane and go beyond it; they follow from the record's number. */
export function lengthOf(id: number, laneBytes: number): number {
  const random = Math.imul(id + 1, 0x9e3779b1) >>> 0
  if (random % 97 === 0) return laneBytes / 4 + (random % 5) - 2
  if (random % 89 === 0) return laneBytes / 4 + (random % laneBytes)
  return random % (laneBytes / 32)
}
