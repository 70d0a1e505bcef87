/**
 * The words for a start that failed: one line where a person can do something about it, the stack
 * where only we can. Main thread; the end of main.ts.
 */
import { ConfigError } from '@bellwire/common/config'
import { DatabaseStartError } from '@bellwire/common/db'
import { StartError } from './http/start-error.ts'

/** What the loader of glibc says of a build for a newer one. */
const NEWER_GLIBC = /version `GLIBC_([\d.]+)' not found \(required by .*\buws_/

export function describeStartFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const isExpected =
    error instanceof ConfigError ||
    error instanceof DatabaseStartError ||
    error instanceof StartError
  if (isExpected) return error.message
  const glibc = NEWER_GLIBC.exec(error.message)?.[1]
  if (glibc === undefined) return error.stack ?? error.message
  const major = process.versions.node.split('.', 1)[0] ?? ''
  return `The build of uWebSockets.js for Node ${major} needs glibc ${glibc} or newer (Debian 13, Ubuntu 24.04). Use Node 20 on this system`
}
