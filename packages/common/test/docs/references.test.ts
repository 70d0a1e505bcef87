/** What the documents point to is there: links between them, and the files of the code. */
import t from 'tap'
import { dirname, join } from 'node:path'
import { documents, firstCells, isThere, textOf } from './tree.ts'

const LINK = /\]\(([^)#\s]+)[^)]*\)/g
/** A path in backticks that begins with a folder of the checkout. */
const PATH = /`((?:packages|docs|bench|deploy|scripts)\/[\w./-]+)`/g

t.test('[DOC4] every link and every path in a document leads somewhere', (t) => {
  const broken = documents().flatMap((document) => {
    const text = textOf(document)
    const links = [...text.matchAll(LINK)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => join(dirname(document), target))
    const paths = [...text.matchAll(PATH)].map(([, path = '']) => path)
    return [...links, ...paths]
      .filter((path) => !isThere(path))
      .map((path) => `${document} -> ${path}`)
  })
  t.strictSame(broken, [])
  t.end()
})

t.test('[DOC4] ARCHITECTURE.md stays short enough to be read', (t) => {
  t.ok(textOf('ARCHITECTURE.md').split('\n').length <= 201)
  t.end()
})

t.test('[DOC4] docs/glossary.md has each word once, in order', (t) => {
  const words = firstCells(textOf('docs/glossary.md'), /^(?!word$|-)/)
  t.ok(words.length > 0)
  t.strictSame(
    words,
    [...new Set(words)].sort((a, b) => a.localeCompare(b, 'en')),
  )
  t.end()
})
