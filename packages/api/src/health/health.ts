/**
 * How a process is, as GET /health and GET /health/ready tell it. Main thread. A member of a cluster
 * asks the others the same and answers for all (cluster/health-of-all.ts).
 */
import { CANARY_BOUND_MS, type Canaries } from './canaries.ts'

export interface Health {
  /** True when a publish would be stored now. */
  readonly takesMessages: boolean
  /** Why it is not ready, in one line; null when it is. */
  readonly unready: string | null
}

export type HealthQuestion = () => Promise<Health>

/** @returns a function that resolves within a second or so. One question at a time is under way. */
export function ownHealth(canaries: Canaries): HealthQuestion {
  let underWay: Promise<Health> | null = null

  async function look(): Promise<Health> {
    try {
      return { takesMessages: await canaries.look(), unready: lateThread(canaries) }
    } finally {
      underWay = null
    }
  }

  return () => (underWay ??= look())
}

/** The health of several processes: as sick as the sickest. */
export function together(healths: readonly Health[]): Health {
  return {
    takesMessages: healths.every(({ takesMessages }) => takesMessages),
    unready: healths.find(({ unready }) => unready !== null)?.unready ?? null,
  }
}

function lateThread(canaries: Canaries): string | null {
  const late = canaries.ages().findIndex((age) => age > CANARY_BOUND_MS)
  if (late === -1) return null
  const bound = CANARY_BOUND_MS / 1_000
  return `shard thread ${late} has committed and answered nothing for ${bound} s`
}
