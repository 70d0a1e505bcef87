/** Everything that is proven: Bellwire processes on one PostgreSQL, a small network in front of it, a disk below it. */
import { readFileSync } from 'node:fs'
import { fillServer, type Tokens } from '../../server/fill.ts'
import { freePort } from '../../server/free-port.ts'
import type { Ending } from '../check/history.ts'
import { Host } from './host.ts'
import { startProveDatabase, type ProveDatabase } from './prove-database.ts'
import { SmallDisk } from './small-disk.ts'
import { TcpProxy } from './tcp-proxy.ts'

const NO_TOKENS: Tokens = { applications: [], clients: [] }
/** Lines of a log in the report of a failed start. */
const TOLD_LINES = 10
const START_LIMIT_MS = 60_000
/** A Bellwire that stops and cannot finish ends with status 1 after so long. */
const GRACE_MS = 20_000

export interface Fleet {
  readonly disk: SmallDisk
  readonly database: ProveDatabase
  /** The way of each host to the database, by the number of the host. */
  readonly proxies: readonly TcpProxy[]
  readonly hosts: readonly Host[]
  /** Of users named `prove0` and so on, each with an application and a client. */
  readonly tokens: Tokens
}

/**
 * @param workDir an empty folder, for data and logs
 * @throws {Error} when something does not start, with what it said last; all of it is stopped then
 */
export async function startFleet(
  workDir: string,
  { hosts: hostCount, members }: { readonly hosts: number; readonly members: number },
  userCount: number,
  onEnd: (ending: Ending) => void,
): Promise<Fleet> {
  const disk = new SmallDisk(`${workDir}/disk`)
  const database = await startProveDatabase(`${disk.folder}/data`, `${workDir}/postgres.log`).catch(
    (error: unknown) => {
      disk.remove()
      throw error
    },
  )
  const logOf = (host: number): string => `${workDir}/host-${host}.log`
  const proxies: TcpProxy[] = []
  const hosts: Host[] = []
  const fleet = { disk, database, proxies, hosts, tokens: NO_TOKENS }
  try {
    for (let number = 0; number < hostCount; number++) {
      const proxy = new TcpProxy(database.socket)
      const connection = database.connectionAt(await proxy.listen())
      proxies.push(proxy)
      const folder = `${workDir}/host-${number}`
      const couldNotFinish = (): boolean => proxy.isTroubledSince(GRACE_MS)
      const options = { number, members, connection, onEnd, couldNotFinish, port: await freePort() }
      const host = new Host({
        ...options,
        workDir: folder,
        logFile: logOf(number),
      })
      hosts.push(host)
      host.start()
    }
    const [ill] = await findIll(fleet)
    if (ill !== undefined) throw new Error(`Host ${ill} does not start:\n${endOf(logOf(ill))}`)
    const target = { host: '127.0.0.1', port: hosts[0]?.port ?? 0 }
    return { ...fleet, tokens: await fillServer(target, userCount, 'prove') }
  } catch (error) {
    await stopFleet(fleet)
    throw error
  }
}

/** Waits until every host is healthy. @returns those that are not within a minute */
export async function findIll({ hosts }: Fleet): Promise<number[]> {
  const healthy = await Promise.all(hosts.map((host) => host.healthy(START_LIMIT_MS)))
  return healthy.flatMap((is, number) => (is ? [] : [number]))
}

/** Ends every fault that lasts. */
export async function healFleet({ hosts, proxies, disk }: Fleet): Promise<void> {
  for (const proxy of proxies) proxy.heal()
  for (const host of hosts) host.thaw()
  await disk.free()
}

export function numberOfUser(name: string): number {
  return Number(/\d+$/.exec(name)?.[0] ?? -1)
}

export async function stopFleet({ hosts, proxies, database, disk }: Fleet): Promise<void> {
  await Promise.all(hosts.map((host) => host.stop()))
  await Promise.all(proxies.map((proxy) => proxy.close()))
  await database.stop().finally(() => disk.remove())
}

/** What a process said last; its log goes with the folder of a fleet that does not start. */
function endOf(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-TOLD_LINES).join('\n')
}
