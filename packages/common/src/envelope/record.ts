/**
 * Where an envelope is written to and read from. A lane's writer and reader have this shape; the
 * codec knows no more of lanes than this, so it can be tested on plain memory.
 */
export interface RecordWriter {
  readonly bytes: Buffer
  readonly view: DataView
  /** Start of the claimed record in `bytes`. */
  readonly offset: number
  /** Makes room for a record; false when there is none now. */
  tryClaim(byteLength: number): boolean
  /** Makes the claimed record visible to the reader. */
  commit(): void
}

export interface RecordReader {
  readonly bytes: Buffer
  readonly view: DataView
  readonly offset: number
  readonly length: number
}

/** An envelope that breaks its own layout: only a bug or damaged memory makes one. */
export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError'
}

/** @throws {EnvelopeError} when `byteLength` bytes at `position` are not inside the record. */
export function checkBounds(record: RecordReader, position: number, byteLength: number): void {
  if (position + byteLength > record.length) {
    throw new EnvelopeError(
      `Envelope of ${record.length} bytes ends before byte ${position + byteLength}`,
    )
  }
}
