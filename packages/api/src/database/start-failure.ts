/**
 * Turns what goes wrong while the database starts into one line for the person who started it.
 * Takes errors of the file system and the text that PostgreSQL's programs print.
 */
import { DatabaseStartError } from '@bellwire/common/db'
import type { Account } from './postgres-account.ts'

const NO_SPACE = /ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/
const NOT_WRITABLE = /EACCES|EPERM|EROFS|Permission denied|Operation not permitted|Read-only file/
/** Below /proc, or in the place of a file. */
const NO_FOLDER = /^(?:ENOENT|ENOTDIR|EEXIST): .* mkdir /
const NO_NAME = /could not look up effective user ID/
const NO_SETPRIV = /spawn setpriv ENOENT/
const NO_LOADER = /spawn .* ENOENT/

export interface StartContext {
  /** GOTIFY_DATADIR, absolute. */
  readonly dataDir: string
  readonly account: Account | null
}

export function startFailure(cause: unknown, context: StartContext): DatabaseStartError {
  if (cause instanceof DatabaseStartError) return cause
  const text = cause instanceof Error ? cause.message : String(cause)
  return new DatabaseStartError(
    `Cannot start the embedded database in "${context.dataDir}" (GOTIFY_DATADIR): ${explain(text, context)}`,
    { cause },
  )
}

function explain(text: string, { account }: StartContext): string {
  if (NO_SPACE.test(text)) return 'no space left on the disk'
  if (NO_NAME.test(text)) {
    return `user id ${process.getuid?.()} has no name in /etc/passwd, and PostgreSQL asks for one. Add a line for it there, or run under a user that has one`
  }
  if (NO_SETPRIV.test(text)) {
    return `as root, PostgreSQL runs under user id ${account?.uid}, which may not enter this folder or the one of the program. Install "setpriv" (util-linux), run Bellwire as a normal user, or move both to where others may enter`
  }
  if (NO_LOADER.test(text)) {
    return 'its programs do not run on this system, they need glibc. Use a PostgreSQL server by GOTIFY_DATABASE_DIALECT=postgres and GOTIFY_DATABASE_CONNECTION'
  }
  if (NO_FOLDER.test(text)) return `the folder cannot be made (${oneLine(text)})`
  if (NOT_WRITABLE.test(text)) return `no permission (${oneLine(text)})`
  return oneLine(text)
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, '; ')
}
