/**
 * Closes every stream when the process ends: over some seconds where there are many, so that their
 * clients do not all come back in the same moment. Main thread.
 */
import { ERROR_TABLE } from '@bellwire/common'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connections } from './stream/connections.ts'

const PAUSE_MS = 100
/** Fewer than this are no storm. */
const SMALLEST_SLICE = 100
/** As many as the event loop takes without a noticeable stop. */
const LARGEST_SLICE_AT_ONCE = 500

/** @param seconds to spread them over; 0: as fast as it goes */
export async function closeConnections(
  connections: Pick<Connections, 'all' | 'has'>,
  seconds: number,
): Promise<void> {
  const { closeCode } = ERROR_TABLE.SHUTTING_DOWN
  const open = [...connections.all()]
  const even = Math.ceil(open.length / ((seconds * 1_000) / PAUSE_MS))
  const slice = seconds === 0 ? LARGEST_SLICE_AT_ONCE : Math.max(SMALLEST_SLICE, even)
  for (let start = 0; start < open.length; start += slice) {
    // With jitter: several processes may stop at the same time.
    if (start > 0) await sleep(seconds === 0 ? 0 : PAUSE_MS * (0.5 + Math.random()))
    for (const connection of open.slice(start, start + slice)) {
      if (!connections.has(connection.number)) continue
      connection.end(closeCode, 'the server is shutting down')
    }
  }
}
