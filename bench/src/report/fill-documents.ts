/** Writes the figures of a result into the marked blocks of the suite's documents. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { RunResult } from '../results/result.ts'
import { figureBlocks } from './figure-blocks.ts'

const BLOCK = /(<!-- figures: ([a-z-]+) -->\n)[\s\S]*?(<!-- \/figures -->)/g

/** @throws {Error} when a document asks for a block that there is not */
export function fillDocuments(result: RunResult, files: readonly string[]): void {
  const blocks = figureBlocks(result)
  for (const file of files) {
    writeFileSync(file, fillBlocks(readFileSync(file, 'utf8'), blocks))
  }
}

export function fillBlocks(text: string, blocks: Readonly<Record<string, string>>): string {
  return text.replace(BLOCK, (_, open: string, name: string, close: string) => {
    const block = blocks[name]
    if (block === undefined) throw new Error(`No figures named "${name}"`)
    return `${open}\n${block}\n\n${close}`
  })
}
