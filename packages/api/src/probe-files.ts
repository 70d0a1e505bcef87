/**
 * Tries the files and folders that are named in the settings, so that a wrong one is told before
 * the database starts. Main thread; after the addresses (http/probe-port.ts).
 */
import type { Config } from '@bellwire/common/config'
import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartError } from './http/start-error.ts'
import { makeFolder } from './make-folder.ts'
import { cannotServe, readCertificate } from './tls/certificate.ts'

/** A lack that may pass, and that a running server outlives, too. */
const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT'])

/** @throws {StartError} with one line that names the file and why it cannot be used */
export async function probeFiles(config: Config): Promise<void> {
  await probeCertificate(config)
  await probeImages(config)
}

async function probeCertificate({ server: { ssl } }: Config): Promise<void> {
  if (!ssl.enabled || ssl.letsEncrypt.enabled) return
  try {
    await readCertificate({ certFile: ssl.certFile, keyFile: ssl.certKey })
  } catch (error) {
    throw cannotServe(error)
  }
}

async function probeImages(config: Config): Promise<void> {
  const { uploadedImagesDir: folder } = config
  if (!(await mayHoldData(config))) return
  try {
    await probeFolder(folder)
  } catch (error) {
    const code = codeOf(error)
    if (NO_ROOM.has(code)) return
    throw new StartError(
      `Cannot keep images in "${folder}" (GOTIFY_UPLOADEDIMAGESDIR): ${reason(code, error)}`,
      { cause: error },
    )
  }
}

/** False where the embedded database will say better what is wrong with the folder of both. */
async function mayHoldData({ database, dataDir }: Config): Promise<boolean> {
  if (database.dialect === 'postgres') return true
  try {
    await probeFolder(dataDir)
    return true
  } catch (error) {
    return NO_ROOM.has(codeOf(error))
  }
}

/** Writes an empty file, because rights alone don't tell of a system that is mounted read-only. */
async function probeFolder(folder: string): Promise<void> {
  const file = join(folder, `.${randomUUID()}.upload`)
  await makeFolder(folder)
  await writeFile(file, '', { flag: 'wx' })
  await rm(file)
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function reason(code: unknown, error: unknown): string {
  switch (code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return 'it is no folder, or lies below a file'
    case 'EACCES':
    case 'EPERM':
      return 'this user may not write there'
    case 'EROFS':
      return 'it cannot be written, the file system is read-only'
    default:
      return error instanceof Error ? error.message : String(error)
  }
}
