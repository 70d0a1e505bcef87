/** Several Bellwires on one external PostgreSQL: what hosts without a primary are. */
import type { DatabaseConnection } from '@bellwire/common/db'
import { ApiClient } from '../support/api-client.ts'
import {
  startBellwire,
  type Bellwire,
  type Environment,
  type Teardown,
} from '../support/bellwire.ts'

export interface Host {
  readonly bellwire: Bellwire
  readonly api: ApiClient
  readonly port: number
}

/** The settings that name a test's database as an external one. */
export function externalDatabase({ host, port, user, database }: DatabaseConnection): Environment {
  return {
    GOTIFY_DATABASE_DIALECT: 'postgres',
    GOTIFY_DATABASE_CONNECTION: `host=${host} port=${port} user=${user} dbname=${database}`,
    GOTIFY_SERVER_STREAM_SHARDTHREADS: '1',
  }
}

export async function startHost(
  t: Teardown,
  connection: DatabaseConnection,
  env: Environment = {},
): Promise<Host> {
  const bellwire = await startBellwire(t, { ...externalDatabase(connection), ...env })
  const api = new ApiClient(bellwire)
  t.teardown(async () => api.close())
  return { bellwire, api, port: bellwire.port }
}

/** Asks again and again until it holds. @returns milliseconds it took, or the limit */
export async function within(
  limitMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<number> {
  const start = performance.now()
  while (!(await holds())) {
    if (performance.now() - start > limitMs) return Number.POSITIVE_INFINITY
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return performance.now() - start
}
