/** docs/errors.md has a row for each code of the error table, and each code is in use. */
import t from 'tap'
import { ERROR_TABLE } from '../../src/errors.ts'
import { filesOf, textOf } from './tree.ts'

t.test('[DOC2] docs/errors.md has the row of every code, and no other', (t) => {
  const rows = textOf('docs/errors.md')
    .split('\n')
    .filter((line) => /^\| `[A-Z_]+`/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map(([, code, status, close, retryable]) => [code, status, close, retryable])
  const expected = Object.entries(ERROR_TABLE).map(([code, row]) => [
    code,
    String(row.httpStatus),
    row.closeCode === null ? 'none' : String(row.closeCode),
    row.retryable ? 'yes' : 'no',
  ])
  t.strictSame(rows, expected)
  t.end()
})

t.test('[DOC2] no code of the table is without use', (t) => {
  const code = filesOf('src')
    .filter((path) => !path.endsWith('common/src/errors.ts'))
    .map(textOf)
    .join('\n')
  const unused = Object.keys(ERROR_TABLE).filter(
    (name) => !code.includes(`'${name}'`) && !code.includes(`ERROR_TABLE.${name}`),
  )
  t.strictSame(unused, [])
  t.end()
})
