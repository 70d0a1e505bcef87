/** Copies the images of applications into the folder of this Bellwire. Last stage of an import before the commit. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ImageFiles, isImageName } from '../manage/image-files.ts'
import type { ImportedApplication } from './import-applications.ts'
import type { ImportReport } from './import-report.ts'

export interface ImageFolders {
  /** Null: nobody said where they are. */
  readonly from: string | null
  readonly to: string
}

/**
 * Each image is copied whole or not at all; one that is there already stays. The names of those
 * copied are added to `copied` as soon as they are there, so that a caller can take them back.
 */
export async function importImages(
  applications: readonly ImportedApplication[],
  { from, to }: ImageFolders,
  report: ImportReport,
  copied: string[],
): Promise<void> {
  const names = new Set(applications.map(({ image }) => image).filter(isImageName))
  if (from === null) {
    report.leftOut('images (say where they are with --images DIR, and run it again)', names.size)
    return
  }
  const images = new ImageFiles(to)
  for (const name of names) {
    const content = await readIfPresent(join(from, name))
    if (content === null) {
      report.leftOut(`images that are not in "${from}"`)
    } else if (await images.add(name, content)) {
      copied.push(name)
      report.added('images')
    } else {
      report.present('images')
    }
  }
}

async function readIfPresent(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
