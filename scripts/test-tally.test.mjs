// Feeds TAP as tap prints it to the counter that decides whether a run is green.
import { Readable } from 'node:stream'
import t from 'tap'
import { tallyTap } from './test-tally.mjs'

const SUBTEST = `TAP version 14
# Subtest: lane
    # Subtest: writes
        ok 1 - a
        ok 2 - b
        1..2
    ok 1 - writes # time=1ms
    # Subtest: reads
        not ok 1 - a
          ---
          diff: x
          ...
        1..1
    not ok 2 - reads # time=1ms
    ok 3 - later # SKIP no
    1..3
not ok 1 - lane # time=2ms
`

const cases = [
  ['counts innermost subtests', `${SUBTEST}1..1\n`, { passed: 1, failed: 1, skipped: 0 }],
  [
    'counts assertions outside subtests',
    'ok 1 - a\nok 2 - b # SKIP\n1..2\n',
    { passed: 1, failed: 0, skipped: 1 },
  ],
  [
    'counts a run without tests as failed',
    'TAP version 14\n1..0\n',
    { passed: 0, failed: 1, skipped: 0 },
  ],
  [
    'accepts a file that skips itself',
    '1..0 # SKIP no database\n',
    { passed: 0, failed: 0, skipped: 1 },
  ],
  ['counts output that breaks off as failed', 'ok 1 - a\n', { passed: 1, failed: 1, skipped: 0 }],
  ['counts no output as failed', '', { passed: 0, failed: 1, skipped: 0 }],
  [
    'counts a subtest that fails around passing ones',
    '# Subtest: a\n    # Subtest: b\n        ok 1\n        1..1\n    ok 1 - b\n    1..1\nnot ok 1 - a\n1..1\n',
    { passed: 1, failed: 1, skipped: 0 },
  ],
]

for (const [behaviour, tap, expected] of cases) {
  t.test(`tallyTap ${behaviour}`, async (t) => {
    t.same(await tallyTap(Readable.from([tap])), expected)
  })
}
