/** The checkout as the tests of the documents see it: texts by path, and what lies in it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** From packages/common/dist/test/docs, where the compiled tests run. */
const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url))

const PACKAGES = ['common', 'shard-worker', 'api']

/** @param path from the root of the checkout */
export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

export function isThere(path: string): boolean {
  return existsSync(join(ROOT, path))
}

/** TypeScript files below `src` or `test` of every package, as paths from the root, sorted. */
export function filesOf(kind: 'src' | 'test'): readonly string[] {
  return PACKAGES.flatMap((name) => {
    const folder = join('packages', name, kind)
    if (!isThere(folder)) return []
    return readdirSync(join(ROOT, folder), { recursive: true })
      .map((entry) => join(folder, String(entry)))
      .filter((path) => path.endsWith('.ts'))
  }).sort()
}

/** The documents for people: those at the root and below docs. */
export function documents(): readonly string[] {
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true }).map((entry) =>
    join('docs', String(entry)),
  )
  return [...readdirSync(ROOT), ...below].filter((path) => path.endsWith('.md')).sort()
}

/** First cells of the rows of all tables of a document that match, without backticks. */
export function firstCells(text: string, pattern: RegExp): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => (line.split('|')[1] ?? '').trim().replaceAll('`', ''))
    .filter((cell) => pattern.test(cell))
}
