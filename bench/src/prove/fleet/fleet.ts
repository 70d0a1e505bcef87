/** Everything that is proven: Bellwire processes on one PostgreSQL, a small network in front of it, a disk below it. */
import { fillServer, type Tokens } from '../../server/fill.ts'
import { freePort } from '../../server/free-port.ts'
import type { Ending } from '../check/history.ts'
import { Host } from './host.ts'
import { startProveDatabase, type ProveDatabase } from './prove-database.ts'
import { SmallDisk } from './small-disk.ts'
import { TcpProxy } from './tcp-proxy.ts'

const START_LIMIT_MS = 60_000

export interface Fleet {
  readonly disk: SmallDisk
  readonly database: ProveDatabase
  /** The way of each host to the database, by the number of the host. */
  readonly proxies: readonly TcpProxy[]
  readonly hosts: readonly Host[]
}

/** @param workDir an empty folder, for data and logs */
export async function startFleet(
  workDir: string,
  hostCount: number,
  onEnd: (ending: Ending) => void,
): Promise<Fleet> {
  const disk = new SmallDisk(`${workDir}/disk`)
  const database = await startProveDatabase(`${disk.folder}/data`, `${workDir}/postgres.log`)
  const proxies: TcpProxy[] = []
  const hosts: Host[] = []
  const fleet = { disk, database, proxies, hosts }
  try {
    for (let number = 0; number < hostCount; number++) {
      const proxy = new TcpProxy(database.socket)
      const connection = database.connectionAt(await proxy.listen())
      proxies.push(proxy)
      const folder = `${workDir}/host-${number}`
      const options = { number, connection, onEnd, port: await freePort(), workDir: folder }
      const host = new Host({ ...options, logFile: `${workDir}/host-${number}.log` })
      hosts.push(host)
      host.start()
    }
    await untilHealthy(fleet)
    return fleet
  } catch (error) {
    await stopFleet(fleet)
    throw error
  }
}

/** @throws {Error} when a host is not healthy within a minute */
export async function untilHealthy({ hosts }: Fleet): Promise<void> {
  const healthy = await Promise.all(hosts.map((host) => host.healthy(START_LIMIT_MS)))
  const ill = healthy.indexOf(false)
  if (ill !== -1) throw new Error(`Host ${ill} is not healthy; see its log`)
}

/** Ends every fault that lasts. */
export async function healFleet({ hosts, proxies, disk }: Fleet): Promise<void> {
  for (const proxy of proxies) proxy.heal()
  for (const host of hosts) host.thaw()
  await disk.free()
}

/** Users named `prove0` and so on, each with an application and a client. */
export async function addUsers({ hosts }: Fleet, count: number): Promise<Tokens> {
  return fillServer({ host: '127.0.0.1', port: hosts[0]?.port ?? 0 }, count, 'prove')
}

export function numberOfUser(name: string): number {
  return Number(/\d+$/.exec(name)?.[0] ?? -1)
}

export async function stopFleet({ hosts, proxies, database, disk }: Fleet): Promise<void> {
  await Promise.all(hosts.map((host) => host.stop()))
  await Promise.all(proxies.map((proxy) => proxy.close()))
  await database.stop()
  disk.remove()
}
