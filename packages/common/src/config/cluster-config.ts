/** Checks the settings of a cluster against those they depend on. Pure; used by load-config.ts. */
import type { SettingValues } from './settings/index.ts'

/** One line for each setting that does not fit several processes. */
export function clusterProblems(values: SettingValues): string[] {
  const processes = values.GOTIFY_SERVER_CLUSTER_PROCESSES
  if (processes === 1) return []
  const problems: string[] = []
  for (const name of ['GOTIFY_SERVER_LISTENADDR', 'GOTIFY_SERVER_SSL_LISTENADDR'] as const) {
    if (!values[name].startsWith('unix:')) continue
    problems.push(
      `GOTIFY_SERVER_CLUSTER_PROCESSES: must be 1 where ${name} is a Unix socket, ` +
        `because processes can share a port only: value was "${processes}"`,
    )
  }
  if (!values.GOTIFY_SERVER_SSL_ENABLED) return problems
  if (values.GOTIFY_SERVER_SSL_PORT === 0) {
    problems.push(
      'GOTIFY_SERVER_SSL_PORT: must be a port of your choice for several processes, ' +
        'because the system would choose one for each: value was "0"',
    )
  } else if (values.GOTIFY_SERVER_SSL_PORT === values.GOTIFY_SERVER_PORT) {
    problems.push(
      'GOTIFY_SERVER_SSL_PORT: must differ from GOTIFY_SERVER_PORT for several processes, ' +
        `because ports that are shared never seem taken: value was "${values.GOTIFY_SERVER_SSL_PORT}"`,
    )
  }
  return problems
}
