/** docs/operations.md names the metrics that the server really has. */
import t from 'tap'
import { firstCells, textOf } from './tree.ts'

t.test('[DOC3] docs/operations.md has the row of every metric, and no other', (t) => {
  const named = new Set(
    [...textOf('packages/api/src/metrics.ts').matchAll(/'(bellwire_[a-z_]+)'/g)].map(
      ([, name]) => name,
    ),
  )
  t.ok(named.size > 0)
  const documented = firstCells(textOf('docs/operations.md'), /^bellwire_\w+$/)
  t.strictSame([...documented].sort(), [...named].sort())
  t.end()
})
