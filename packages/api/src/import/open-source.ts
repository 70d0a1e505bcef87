/** Finds out what kind of Gotify database a person means, and where its images are. */
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { GotifySource } from './gotify-source.ts'
import { openPostgresSource } from './postgres-source.ts'
import { openSqliteSource } from './sqlite-source.ts'

export interface OpenedSource {
  readonly source: GotifySource
  /** Where Gotify keeps them unless told otherwise; null when there is no such folder. */
  readonly imagesBeside: string | null
}

/** A URL, or libpq's `keyword=value` form. */
const POSTGRES = /^postgres(ql)?:\/\/|^\s*\w+=.*\b(user|dbname|host)=|^(user|dbname|host)=/

/** @throws {ImportError} when it cannot be read */
export async function openSource(from: string): Promise<OpenedSource> {
  if (POSTGRES.test(from)) {
    return { source: await openPostgresSource(from), imagesBeside: null }
  }
  const source = await openSqliteSource(from)
  const images = join(dirname(from), 'images')
  const isFolder = await stat(images).then(
    (found) => found.isDirectory(),
    () => false,
  )
  return { source, imagesBeside: isFolder ? images : null }
}
