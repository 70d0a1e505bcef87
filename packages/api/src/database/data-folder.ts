/**
 * The folder of the embedded PostgreSQL: `<GOTIFY_DATADIR>/postgres` with `data` (its files) and
 * `run` (its socket), all of it closed to other users. Made at the first start, checked at each.
 */
import { DatabaseStartError } from '@bellwire/common/db'
import { once } from 'node:events'
import {
  chown,
  lchown,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
} from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../make-folder.ts'
import {
  chooseAccount,
  launch,
  namedAccount,
  openPrograms,
  type Account,
} from './postgres-account.ts'
import { findPostgresBinaries, POSTGRES_MAJOR, type PostgresBinaries } from './postgres-binaries.ts'
import { PostgresLog, type DatabaseLogger } from './postgres-log.ts'
import { isRunning, processFacts } from './process-facts.ts'
import { prepareSocketFolder } from './socket-folder.ts'

/** Superuser and database of the embedded server. */
export const DATABASE_NAME = 'bellwire'
/** For one process with many threads, and for whoever looks in. */
const LEAST_CONNECTIONS = 200
const HALF_MADE = '.postgres-new-'

/** All that a start of PostgreSQL needs to know. */
export interface Site {
  readonly binaries: PostgresBinaries
  /** Null: that of this process. */
  readonly account: Account | null
  readonly dataFolder: string
  readonly socketFolder: string
  /** Tag of this process. */
  readonly owner: string
  /** Most connections at a time. */
  readonly connections: number
}

/** @param root GOTIFY_DATADIR, absolute; it exists. */
export async function prepareSite(
  root: string,
  log: DatabaseLogger,
  connections = LEAST_CONNECTIONS,
): Promise<Site> {
  const binaries = findPostgresBinaries()
  const home = join(await realpath(root), 'postgres')
  const account = await chooseAccount(home)
  await makeFolder(home, 0o700)
  if (account !== null) {
    await chown(home, account.uid, account.gid)
    await openPrograms([binaries.initdb, binaries.postgres])
  }

  const owner = (await processFacts(process.pid))?.tag ?? `${process.pid}.0`
  const dataFolder = join(home, 'data')
  if (!(await hasCluster(dataFolder))) {
    await removeHalfMade(root)
    await makeCluster(join(root, HALF_MADE + owner), dataFolder, account, binaries, log)
  }
  const socketFolder = await prepareSocketFolder(home, account)
  return {
    ...{ binaries, account, dataFolder, socketFolder, owner },
    connections: Math.max(LEAST_CONNECTIONS, connections),
  }
}

/** @throws {DatabaseStartError} The folder holds something else, or files of another major version. */
async function hasCluster(dataFolder: string): Promise<boolean> {
  const entries = await readdir(dataFolder).catch(() => null)
  if (entries === null || entries.length === 0) return false
  const version = await readFile(join(dataFolder, 'PG_VERSION'), 'utf8').catch(() => null)
  if (version === null) {
    throw new DatabaseStartError(
      `Cannot use the data folder "${dataFolder}" (GOTIFY_DATADIR): it holds files, but not those of PostgreSQL`,
    )
  }
  if (version.trim() !== POSTGRES_MAJOR) {
    throw new DatabaseStartError(
      `Cannot use the data folder "${dataFolder}" (GOTIFY_DATADIR): it was made by PostgreSQL ${version.trim()}, and this Bellwire brings ${POSTGRES_MAJOR}. ` +
        'Dump it with the Bellwire that made it, or upgrade it with pg_upgrade',
    )
  }
  return true
}

/**
 * Makes the files aside and moves them in place in one step: what is there is always whole, and of
 * two that start at once one wins and the other uses its work.
 */
async function makeCluster(
  aside: string,
  dataFolder: string,
  account: Account | null,
  binaries: PostgresBinaries,
  log: DatabaseLogger,
): Promise<void> {
  log.info({ folder: dataFolder }, 'Creating the database')
  try {
    await mkdir(aside, { mode: 0o700 })
    const named = account === null ? null : await namedAccount()
    if (named !== null) await chown(aside, named.uid, named.gid)
    await runInitdb(aside, named, binaries, log)
    if (account !== null) await giveTo(account, aside)
    await moveInPlace(aside, dataFolder)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

async function runInitdb(
  folder: string,
  account: Account | null,
  binaries: PostgresBinaries,
  log: DatabaseLogger,
): Promise<void> {
  const args = [
    '-D',
    folder,
    '-U',
    DATABASE_NAME,
    // Who gets to the socket owns the files anyway (postgres-settings.ts).
    '--auth=trust',
    // PostgreSQL's own rules for text: an upgrade of the system cannot reorder an index.
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ]
  const child = await launch(binaries.initdb, args, account, [...binaries.samples, folder])
  const output = new PostgresLog(child.stderr, log)
  // 'close' comes after the last line was read; a program that cannot start throws here.
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(output.text() || `initdb ended with ${code}`)
}

async function giveTo(account: Account, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true })
  for (const entry of ['.', ...entries]) await lchown(join(folder, entry), account.uid, account.gid)
}

async function moveInPlace(aside: string, dataFolder: string): Promise<void> {
  try {
    await rename(aside, dataFolder)
  } catch (error) {
    if (await hasCluster(dataFolder)) return
    throw error
  }
  const home = await open(join(dataFolder, '..'), 'r')
  await home.sync().finally(() => home.close())
}

/** What a start left that was killed in the middle. */
async function removeHalfMade(root: string): Promise<void> {
  for (const entry of await readdir(root)) {
    if (!entry.startsWith(HALF_MADE) || (await isRunning(entry.slice(HALF_MADE.length)))) continue
    await rm(join(root, entry), { recursive: true, force: true })
  }
}
