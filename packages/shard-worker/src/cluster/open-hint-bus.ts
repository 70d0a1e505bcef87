/** Chooses how hints travel, as GOTIFY_SERVER_CLUSTER_HINTS says. On the worker's thread, at its start. */
import type { Logger } from '@bellwire/common'
import type { DatabaseConnection } from '@bellwire/common/db/postgres'
import type { HintBus } from './hint-bus.ts'
import { PgHintBus } from './pg-hint-bus.ts'
import { SILENT_HINT_BUS } from './silent-hint-bus.ts'

/** @param hints `postgres`, `none` or the URL of a NATS server */
export async function openHintBus(
  hints: string,
  connection: DatabaseConnection,
  log: Logger,
): Promise<HintBus> {
  if (hints === 'none') return SILENT_HINT_BUS
  if (hints === 'postgres') return new PgHintBus(connection, log)
  const { NatsHintBus } = await import('./nats-hint-bus.ts')
  return new NatsHintBus(hints, log)
}
