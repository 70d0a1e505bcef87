/** docs/compatibility.md against the endpoints and settings that there are. */
import { SETTING_NAMES } from '@bellwire/common/config'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { OPERATIONS } from '../../src/web/description/endpoints.ts'

/** From packages/api/dist/test/web, where the compiled test runs. */
const ROOT = new URL('../../../../../', import.meta.url)
/** Where the env file is; read before there are settings. */
const CONFIG_FILE = 'GOTIFY_CONFIG_FILE'

const text = readFileSync(new URL('docs/compatibility.md', ROOT), 'utf8')

t.test('[DOC5] docs/compatibility.md has a row for every endpoint, and for no other', (t) => {
  const rows = [...text.matchAll(/^\| `((?:GET|POST|PUT|DELETE) [^`]+)`/gm)].map(([, name]) => name)
  t.strictSame(rows.toSorted(), Object.keys(OPERATIONS).toSorted())
  t.end()
})

t.test('[DOC5] docs/compatibility.md names settings that there are', (t) => {
  const known = new Set<string>([...SETTING_NAMES, CONFIG_FILE])
  for (const [name] of text.matchAll(/\bGOTIFY_[A-Z_]+\b/g)) t.ok(known.has(name), name)
  t.end()
})
