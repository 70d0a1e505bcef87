/** Finds the members of a cluster for the faults (host.ts), as tools do: by their command lines in /proc. */
import { readOr } from '../../server/proc-file.ts'

/** In the command line of every member, from its start on or since it took the place of one. */
const MEMBER = 'cluster-member'

/**
 * Ids of the processes that serve for a primary; none when it is gone. The one that waits to become a member is left
 * out: what befalls it, nobody would notice.
 */
export function membersOf(primary: number): number[] {
  const children = readOr(`/proc/${primary}/task/${primary}/children`, '').split(' ')
  return children
    .filter(Boolean)
    .map(Number)
    .filter((pid) => readOr(`/proc/${pid}/cmdline`, '').includes(MEMBER))
}
