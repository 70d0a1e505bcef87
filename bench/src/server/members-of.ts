/**
 * Finds the processes of a cluster, for figures (process-use.ts) and for faults (host.ts), as tools do: by their
 * command lines in /proc, which tell them from whatever else their primary has started.
 */
import { readOr } from './proc-file.ts'

/** In the command line of every member, from its start on or since it took the place of one. */
const MEMBER = 'cluster-member'
/** In that of the process that waits to become a member: what befalls it, no client notices. */
const SPARE = 'cluster-spare'

/** Ids of the processes that serve for a primary; none when it is gone, or serves alone. */
export function membersOf(primary: number): number[] {
  return childrenNamed(MEMBER, primary)
}

/** Those that wait to become members. */
export function sparesOf(primary: number): number[] {
  return childrenNamed(SPARE, primary)
}

function childrenNamed(name: string, primary: number): number[] {
  const children = readOr(`/proc/${primary}/task/${primary}/children`, '').split(' ')
  return children
    .filter(Boolean)
    .map(Number)
    .filter((pid) => readOr(`/proc/${pid}/cmdline`, '').includes(name))
}
