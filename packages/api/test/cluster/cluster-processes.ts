/** The processes of a cluster, as the system shows them, and what they log and count. */
import { readFile } from 'node:fs/promises'
import type { ApiClient } from '../support/api-client.ts'
import { type Bellwire, childrenOf } from '../support/bellwire.ts'

export const CLUSTER = {
  GOTIFY_SERVER_CLUSTER_PROCESSES: '2',
  GOTIFY_SERVER_STREAM_SHARDTHREADS: '1',
}

/** Process numbers of the members. */
export function membersOf(cluster: Bellwire): Promise<readonly number[]> {
  return childrenNamed(cluster, 'cluster-member')
}

/** Process numbers of those that have loaded and wait to become a member: one or none. */
export function sparesOf(cluster: Bellwire): Promise<readonly number[]> {
  return childrenNamed(cluster, 'bellwire cluster-spare')
}

/** Process numbers of everything the primary has started but PostgreSQL. */
export async function startedBy(cluster: Bellwire): Promise<readonly number[]> {
  const postgres = await cluster.postgresPid()
  return (await childrenOf(cluster.pid)).filter((pid) => pid !== postgres)
}

async function childrenNamed(cluster: Bellwire, name: string): Promise<readonly number[]> {
  const found: number[] = []
  for (const pid of await childrenOf(cluster.pid)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (command.includes(name)) found.push(pid)
  }
  return found
}

/** How many lines of the log hold the text. */
export function logged(cluster: Bellwire, text: string): number {
  return cluster.logs.filter((line) => line.includes(text)).length
}

/** How often a member has begun to listen. */
export function listening(cluster: Bellwire): number {
  return logged(cluster, '"msg":"member listens"')
}

/** A metric of the whole cluster, by its name and labels if it has any; NaN without one. */
export async function metric(api: ApiClient, name: string): Promise<number> {
  const { text } = await api.call('GET /metrics')
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return Number(line?.slice(name.length))
}
