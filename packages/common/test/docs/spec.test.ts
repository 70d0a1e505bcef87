/** SPEC.md and the tests say the same: no rule without a test, no test of a rule that is not there. */
import t from 'tap'
import { filesOf, textOf } from './tree.ts'

const RULE = /^- \*\*([A-Z]+\d+)\*\* /gm
/** A string that begins with one id or several, as titles of tests and of assertions do. */
const TITLE = /['"`]((?:\[[A-Z]+-?\d+\] )+)/g

const rules = [...textOf('SPEC.md').matchAll(RULE)].map(([, id = '']) => id)

/** Which files cite each id. */
function citations(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const file of filesOf('test').filter((path) => path.endsWith('.test.ts'))) {
    for (const [, ids = ''] of textOf(file).matchAll(TITLE)) {
      for (const [id] of ids.matchAll(/[A-Z]+-?\d+/g)) {
        found.set(id, [...(found.get(id) ?? []), file])
      }
    }
  }
  return found
}

t.test('[DOC1] every rule of SPEC.md is named by the title of a test', (t) => {
  const cited = citations()
  t.ok(rules.length > 0)
  t.strictSame(
    rules.filter((id) => !cited.has(id)),
    [],
  )
  t.end()
})

t.test('[DOC1] every rule that a test names is in SPEC.md, once', (t) => {
  const known = new Set(rules)
  t.strictSame(
    rules.filter((id, index) => rules.indexOf(id) !== index),
    [],
  )
  t.strictSame(
    [...citations()].filter(([id]) => !known.has(id)),
    [],
  )
  t.end()
})

t.test('[DOC1] the rules of a family stand in the order of their numbers', (t) => {
  const last = new Map<string, number>()
  for (const id of rules) {
    const family = id.replace(/\d+$/, '')
    const number = Number(id.slice(family.length))
    t.ok(number > (last.get(family) ?? 0), id)
    last.set(family, number)
  }
  t.end()
})
