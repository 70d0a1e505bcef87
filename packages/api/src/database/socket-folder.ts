/**
 * Where the unix socket of the embedded PostgreSQL lies: beside the data. A path of a socket has
 * room for some 100 bytes only, so below a long path the entry is a link to a private folder among
 * the temporary files, which the next start finds and uses again.
 */
import { chmod, chown, lstat, mkdtemp, readlink, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '../make-folder.ts'
import type { Account } from './postgres-account.ts'
import { SOCKET_PORT } from './postgres-settings.ts'

/** sun_path of unix(7) without the final NUL: 108 bytes on Linux, 104 on macOS and BSD. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103

/** Makes the folder, closed to everybody but the account (and root), and returns its path. */
export async function prepareSocketFolder(home: string, account: Account | null): Promise<string> {
  const folder = join(home, 'run')
  const known = await readlink(folder).catch(() => null)
  if (fits(folder)) {
    if (known !== null) await rm(folder)
    await makeFolder(folder, 0o700)
    if (account !== null) await chown(folder, account.uid, account.gid)
    return folder
  }
  if (known !== null && (await isPrivate(known, account))) return known
  await rm(folder, { recursive: true, force: true })
  const privateFolder = await mkdtemp(join(tmpdir(), 'bellwire-'))
  await chmod(privateFolder, 0o700)
  if (account !== null) await chown(privateFolder, account.uid, account.gid)
  await symlink(privateFolder, folder)
  return privateFolder
}

function fits(folder: string): boolean {
  return Buffer.byteLength(join(folder, `.s.PGSQL.${SOCKET_PORT}`)) <= MAX_SOCKET_PATH_BYTES
}

/** What lies at a path among the temporary files may be somebody else's by now. */
async function isPrivate(path: string, account: Account | null): Promise<boolean> {
  const found = await lstat(path).catch(() => null)
  if (found === null || !found.isDirectory()) return false
  return found.uid === (account?.uid ?? process.getuid?.()) && (found.mode & 0o077) === 0
}
