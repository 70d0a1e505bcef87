/** Closes every stream when the process ends, a slice at a time so that the rest still gets its turn. Main thread. */
import { ERROR_TABLE } from '@bellwire/common'
import type { Connections } from './stream/connections.ts'

const SLICE = 500

export async function closeConnections(connections: Connections): Promise<void> {
  const { closeCode } = ERROR_TABLE.SHUTTING_DOWN
  let inSlice = 0
  for (const connection of [...connections.all()]) {
    connection.end(closeCode, 'the server is shutting down')
    inSlice++
    if (inSlice < SLICE) continue
    inSlice = 0
    await new Promise((resolve) => setImmediate(resolve))
  }
}
