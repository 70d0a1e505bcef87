/** Checks the settings of a cluster against those they depend on. Pure; used by load-config.ts. */
import type { SettingValues } from './settings/index.ts'

/** One line for each setting that does not fit. */
export function clusterProblems(values: SettingValues): string[] {
  const processes = values.GOTIFY_SERVER_CLUSTER_PROCESSES
  if (processes === 1 || !values.GOTIFY_SERVER_LISTENADDR.startsWith('unix:')) return []
  return [
    'GOTIFY_SERVER_CLUSTER_PROCESSES: must be 1 where GOTIFY_SERVER_LISTENADDR is a Unix socket, ' +
      `because processes can share a port only: value was "${processes}"`,
  ]
}
