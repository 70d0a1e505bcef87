/**
 * How a writer waits for a full lane: it looks again every millisecond. A full lane means that its
 * reader is busy for some milliseconds, so a poll costs no throughput, cannot miss a wake and leaves
 * the reader's path without a second doorbell. Runs on the writer's thread, between two claims.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LaneWriter } from './lane-writer.ts'

const POLL_MS = 1

/**
 * Waits until the lane has room for a record, without blocking the event loop.
 *
 * @returns false when the lane is closed; true: a claim made before any other commit succeeds.
 */
export async function waitForRoom(writer: LaneWriter, byteLength: number): Promise<boolean> {
  while (!writer.hasRoom(byteLength)) {
    if (writer.closed) return false
    await sleep(POLL_MS)
  }
  return true
}
