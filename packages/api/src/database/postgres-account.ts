/**
 * Under which account PostgreSQL runs. As a normal user: the same one. As root PostgreSQL refuses
 * to run, so it gets a user id of its own, which needs no name and owns nothing but its folder.
 */
import {
  spawn,
  type ChildProcessByStdio,
  type SpawnOptionsWithStdioTuple,
  type StdioNull,
  type StdioPipe,
} from 'node:child_process'
import { chmod, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { PLAIN_ENVIRONMENT } from './process-facts.ts'

/** What it prints comes on stderr. */
export type LaunchedProgram = ChildProcessByStdio<null, null, Readable>

export interface Account {
  readonly uid: number
  readonly gid: number
}

/** First id to try: far from people (1000..), from Debian's and systemd's ranges, inside a container's 65,536. */
const FIRST_OWN_UID = 53_432

/** Accounts of every Debian, Red Hat or Alpine system that no program runs as; the last one is shared by some. */
const IDLE_NAMES: readonly string[] = ['games', 'ftp', 'lp', 'nobody']

/**
 * Lets a process go through folders and read files that are closed to its account, such as a
 * project below /root; it may write nowhere else. PostgreSQL asks access(2) too, which forgets
 * capabilities unless that fix-up is switched off (capabilities(7)).
 */
const READ_ANYWHERE = [
  '--clear-groups',
  '--no-new-privs',
  '--securebits=+no_setuid_fixup',
  '--inh-caps=-all,+dac_read_search',
  '--ambient-caps=-all,+dac_read_search',
  '--bounding-set=-all,+dac_read_search',
]

/**
 * Null: the account of this process will do. As root: the owner of the folder, where it is there
 * already and not root's, else the first id that no user of the system has.
 */
export async function chooseAccount(folder: string): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null
  const owner = await stat(folder).catch(() => null)
  if (owner !== null && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const taken = new Set((await systemUsers()).map((user) => user.uid))
  let uid = FIRST_OWN_UID
  while (taken.has(uid)) uid += 1
  return { uid, gid: uid }
}

/**
 * An account that has a name: `initdb` insists on one, so as root it runs under an idle one of the
 * system for its half second, in a folder of its own that changes hands before it is used.
 */
export async function namedAccount(): Promise<Account | null> {
  const users = await systemUsers()
  return IDLE_NAMES.map((name) => users.find((user) => user.name === name)).find(Boolean) ?? null
}

/**
 * Starts a program of PostgreSQL in a session of its own, so that a Ctrl-C in the terminal reaches
 * the server first and PostgreSQL only when the server ends it. No setting of this process leaks in.
 *
 * @param paths What it must reach; where the account cannot, it may read anywhere (by `setpriv`).
 */
export async function launch(
  program: string,
  args: readonly string[],
  account: Account | null,
  paths: readonly string[],
): Promise<LaunchedProgram> {
  const options = {
    cwd: '/',
    detached: true,
    env: PLAIN_ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'pipe'],
  } satisfies SpawnOptionsWithStdioTuple<StdioNull, StdioNull, StdioPipe>
  if (account === null) return spawn(program, args, options)
  const reached = await Promise.all(paths.map((path) => canReach(account, path)))
  if (reached.every(Boolean)) return spawn(program, args, { ...options, ...account })
  const ids = [`--reuid=${account.uid}`, `--regid=${account.gid}`]
  return spawn('setpriv', [...ids, ...READ_ANYWHERE, '--', program, ...args], options)
}

/**
 * Lets other accounts start programs that root installed for itself alone (umask 077): reading
 * through closed folders can be granted to a process, starting a closed program cannot.
 */
export async function openPrograms(programs: readonly string[]): Promise<void> {
  for (const program of programs) {
    const { mode } = await stat(program)
    if ((mode & 0o001) === 0) await chmod(program, mode | 0o055)
  }
}

/** Looks at permission bits alone; access lists are not seen, which costs no more than a needless `setpriv`. */
async function canReach(account: Account, path: string): Promise<boolean> {
  const { mode, uid, gid } = await stat(path)
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0
  const parent = dirname(path)
  // Folders ask for "search" (1), plain files for "read" (4); programs here have both or none.
  const needed = (mode & 0o040000) === 0 ? 4 : 1
  if (((mode >> shift) & needed) === 0) return false
  return parent === path || canReach(account, parent)
}

async function systemUsers(): Promise<{ name: string; uid: number; gid: number }[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':')
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : []
  })
}
