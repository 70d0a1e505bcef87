/**
 * Closes every stream when the process ends: evenly over some seconds, so that their clients do not
 * all come back in the same moment. Main thread.
 */
import { ERROR_TABLE } from '@bellwire/common'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connections } from './connections.ts'

/** Between two slices at the most, so a few streams don't take all the seconds there are. */
const LONGEST_PAUSE_MS = 100
/** As many as the event loop takes without a noticeable stop. */
const LARGEST_SLICE = 500

/** @param seconds to spread them over; 0: as fast as it goes */
export async function closeConnections(
  connections: Pick<Connections, 'all' | 'has'>,
  seconds: number,
): Promise<void> {
  const { closeCode } = ERROR_TABLE.SHUTTING_DOWN
  const open = [...connections.all()]
  const duration = Math.min(seconds * 1_000, open.length * LONGEST_PAUSE_MS)
  const slices = Math.ceil(Math.max(duration / LONGEST_PAUSE_MS, open.length / LARGEST_SLICE))
  const start = performance.now()
  for (let slice = 0; slice < slices; slice++) {
    // With jitter: several processes may stop at the same time.
    const due = start + ((slice + Math.random()) * duration) / slices
    await sleep(Math.max(0, due - performance.now()))
    const [from, to] = [slice, slice + 1].map((end) => Math.ceil((open.length * end) / slices))
    for (const connection of open.slice(from, to)) {
      if (connections.has(connection.number))
        connection.end(closeCode, 'the server is shutting down')
    }
  }
}
