/**
 * Copies the images of applications into the folder of this Bellwire; an application whose image
 * cannot come in has the default picture then. Last stage of an import but for its log.
 */
import { extname, join } from 'node:path'
import { ImageFiles, isImageName, MAX_IMAGE_BYTES } from '../manage/image-files.ts'
import { imageContentType, looksLikeImage } from '../manage/image-kind.ts'
import { openFile } from '../open-file.ts'
import type { ImportedApplication } from './import-applications.ts'
import type { ImportContext } from './import-context.ts'
import { ImportError } from './import-error.ts'

export interface ImageFolders {
  /** Null: nobody said where they are. */
  readonly from: string | null
  readonly to: string
}

/**
 * Each image is copied whole or not at all; one that is there already stays. The names of those
 * copied are added to `copied` as soon as they are there, so that a caller can take them back.
 * @throws {ImportError} when the folder of this Bellwire cannot be used
 */
export async function importImages(
  context: ImportContext,
  applications: readonly ImportedApplication[],
  { from, to }: ImageFolders,
  copied: string[],
): Promise<void> {
  const { db, report, log } = context
  const images = new ImageFiles(to)
  const imageOf = await imagesHere(context)
  for (const { id, image } of applications) {
    if (image === '') continue
    const before = imageOf.get(id) ?? ''
    if (before !== image && (before !== '' || log.has('images', id, image))) {
      log.note('images', id, image)
      report.leftOut('images that were deleted or replaced here since')
      continue
    }
    const problem = await bringImage(image)
    if (problem === null) log.note('images', id, image)
    else report.leftOut(problem)
    const after = problem === null ? image : ''
    if (after !== before) {
      await db.updateTable('applications').set({ image: after }).where('id', '=', id).execute()
    }
  }

  /** Returns null when the image is here then, else why it is not, in the words of the report. */
  async function bringImage(name: string): Promise<string | null> {
    if (!isImageName(name) || imageContentType(extname(name)) === null) {
      return 'images that have no name of an image'
    }
    const here = await inFolder(to, images.read(name))
    if (here === null && from === null) {
      return 'images (say where they are with --images DIR, and run it again)'
    }
    const content = here ?? (await readImage(from ?? '', name))
    if (typeof content === 'string') return content
    if (!looksLikeImage(content)) return 'images whose content is none'
    if (here !== null) {
      report.present('images')
    } else if (!(await inFolder(to, images.add(name, content)))) {
      return 'images whose names something else has here'
    } else {
      copied.push(name)
      report.added('images')
    }
    return null
  }
}

async function imagesHere({ db }: ImportContext): Promise<ReadonlyMap<number, string>> {
  const rows = await db.selectFrom('applications').select(['id', 'image']).execute()
  return new Map(rows.map(({ id, image }) => [id, image]))
}

/** ENOTDIR: something else has the name of the folder; ENXIO: a socket has that of the image. */
const NOT_THERE: readonly unknown[] = ['ENOENT', 'ENOTDIR', 'ENXIO']

/** Returns the content, or why there is none, in the words of the report. */
async function readImage(folder: string, name: string): Promise<Buffer | string> {
  const missing = `images that are not in "${folder}"`
  try {
    const file = await openFile(join(folder, name))
    if (file === null) return missing
    try {
      const { size } = await file.stat()
      return size > MAX_IMAGE_BYTES ? 'images of more than 32 MiB' : await file.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    if (NOT_THERE.includes(error.code)) return missing
    return `images that cannot be read in "${folder}" (${String(error.code)})`
  }
}

async function inFolder<Result>(folder: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ImportError(`Cannot keep images in "${folder}": ${reason}`, { cause: error })
  }
}
