/**
 * A lane of one record on plain memory, with a wall of other bytes around it: whoever reads past
 * the record reads the wall.
 */
import type { RecordReader, RecordWriter } from '../../src/envelope/record.ts'

/** Bytes of wall on either side; no multiple of 8, so that nothing relies on alignment. */
const WALL_BYTES = 37
const WALL = 0xa5

export class PlainLane implements RecordWriter {
  bytes = Buffer.alloc(0)
  view: DataView = new DataView(new ArrayBuffer(0))
  readonly offset = WALL_BYTES
  length = 0
  committed = false
  readonly #capacity: number

  constructor(capacity = Number.POSITIVE_INFINITY) {
    this.#capacity = capacity
  }

  tryClaim(byteLength: number): boolean {
    if (byteLength > this.#capacity) return false
    this.length = byteLength
    this.bytes = Buffer.alloc(byteLength + 2 * WALL_BYTES, WALL)
    this.view = viewOf(this.bytes)
    return true
  }

  commit(): void {
    this.committed = true
  }

  /** The record, or only its first bytes. */
  reader(length = this.length): RecordReader {
    return { bytes: this.bytes, view: this.view, offset: this.offset, length }
  }

  /** True as long as nothing was written outside the record. */
  get wallStands(): boolean {
    const before = this.bytes.subarray(0, WALL_BYTES)
    const behind = this.bytes.subarray(WALL_BYTES + this.length)
    return [...before, ...behind].every((byte) => byte === WALL)
  }
}

/** A record with these bytes, in the middle of other memory. */
export function recordOf(content: Uint8Array): RecordReader {
  const bytes = Buffer.alloc(content.length + 2 * WALL_BYTES, WALL)
  bytes.set(content, WALL_BYTES)
  return { bytes, view: viewOf(bytes), offset: WALL_BYTES, length: content.length }
}

/** True when the part lies inside the record. */
export function isInside({ bytes, offset, length }: RecordReader, part: Uint8Array): boolean {
  if (part.length === 0) return true
  const start = part.byteOffset - bytes.byteOffset
  return part.buffer === bytes.buffer && start >= offset && start + part.length <= offset + length
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
