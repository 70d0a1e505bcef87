/** How the memory of a cluster falls apart: its primary with the spare that it keeps, and one of its members. */
import { median } from '../stats/summary.ts'
import type { ProcessUse } from '../server/process-use.ts'
import type { Metrics } from './scenario.ts'

/** RSS counts what processes share, such as the program files of Node, once for each. A server of one process is its own member. */
export function clusterMemory({ rssBytes, memberRssBytes }: ProcessUse): Metrics {
  if (memberRssBytes.length === 0) return { processRssMb: rssBytes / 1e6, primaryRssMb: 0 }
  const members = memberRssBytes.reduce((sum, bytes) => sum + bytes, 0)
  return {
    processRssMb: median(memberRssBytes) / 1e6,
    primaryRssMb: (rssBytes - members) / 1e6,
  }
}
