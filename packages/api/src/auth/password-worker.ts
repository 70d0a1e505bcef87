/** The two bcrypt jobs. Runs in the threads of the pool that password-hasher.ts keeps; nothing else runs there. */
import { hashSync, verifySync } from '@node-rs/bcrypt'

export interface HashJob {
  readonly password: string
  /** log2 of the rounds, 4 to 31. */
  readonly cost: number
}

export interface VerifyJob {
  readonly password: string
  readonly hash: string
}

export function hashPassword(job: HashJob): string {
  return hashSync(job.password, job.cost)
}

/** A hash that is no bcrypt string matches no password. */
export function verifyPassword(job: VerifyJob): boolean {
  try {
    return verifySync(job.password, job.hash)
  } catch (error) {
    if (error instanceof Error && /bcrypt|hash|salt|cost/i.test(error.message)) return false
    throw error
  }
}
