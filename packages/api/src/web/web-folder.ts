/** Reads the folder of a built web app. Main thread, once at start; web-routes.ts serves what it finds. */
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { StartError } from '../http/start-error.ts'

/** All of it is held in memory, so a folder of something else must not slip in. */
const MAX_BYTES = 128 * 1024 * 1024

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['.css', 'text/css; charset=utf-8'],
  ['.gif', 'image/gif'],
  ['.html', 'text/html; charset=utf-8'],
  ['.ico', 'image/x-icon'],
  ['.jpeg', 'image/jpeg'],
  ['.jpg', 'image/jpeg'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.json', 'application/json'],
  ['.map', 'application/json'],
  ['.mjs', 'text/javascript; charset=utf-8'],
  ['.mp3', 'audio/mpeg'],
  ['.ogg', 'audio/ogg'],
  ['.png', 'image/png'],
  ['.svg', 'image/svg+xml'],
  ['.ttf', 'font/ttf'],
  ['.txt', 'text/plain; charset=utf-8'],
  ['.wasm', 'application/wasm'],
  ['.webmanifest', 'application/manifest+json'],
  ['.webp', 'image/webp'],
  ['.woff', 'font/woff'],
  ['.woff2', 'font/woff2'],
])

/**
 * Returns the content of every file by its path in the folder, with slashes. Links and what begins
 * with a dot are left out, so nothing outside the folder and nothing hidden is ever served.
 *
 * @throws {StartError} It is no folder of a web app.
 */
export async function readWebFolder(folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  try {
    let bytes = 0
    for (const name of await listFiles(folder)) {
      const file = path.join(folder, name)
      bytes += (await stat(file)).size
      if (bytes > MAX_BYTES) throw notAnApp(folder, `it holds more than ${MAX_BYTES} bytes`)
      files.set(name.split(path.sep).join('/'), await readFile(file))
    }
  } catch (error) {
    if (error instanceof StartError) throw error
    throw notAnApp(folder, error instanceof Error ? error.message : String(error), error)
  }
  if (!files.has('index.html')) throw notAnApp(folder, 'it has no index.html')
  return files
}

export function contentTypeOf(name: string): string {
  return CONTENT_TYPES.get(path.extname(name).toLowerCase()) ?? 'application/octet-stream'
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((name) => !name.split(path.sep).some((part) => part.startsWith('.')))
}

function notAnApp(folder: string, problem: string, cause?: unknown): StartError {
  return new StartError(
    `GOTIFY_SERVER_UIDIR: must be the folder of a built web app, ${problem}: value was "${folder}"`,
    { cause },
  )
}
