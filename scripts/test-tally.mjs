// Counts the tests in the TAP output of one test file. A test is a subtest without subtests of its
// own, or an assertion outside every subtest; the assertions inside one test are not counted.
// The runner (test.mjs) feeds it what a test file prints, while it prints it.
import { Parser } from 'tap-parser'

/**
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>} settles when the output
 * ends; output that breaks off, or that holds no test at all, counts as one failed test.
 */
export function tallyTap(stream) {
  return new Promise((resolve) => {
    const parser = new Parser((results) => {
      if (tally.failed === 0 && !results.ok) tally.failed += 1
      if (tally.passed + tally.failed + tally.skipped === 0) {
        if (skipsItself(results.plan)) tally.skipped += 1
        else tally.failed += 1
      }
      resolve(tally)
    })
    const tally = tallyOf(parser, true)
    stream.pipe(parser, { end: false })
    // Unlike the end, the close also comes when the stream is cut off.
    stream.once('close', () => parser.end())
  })
}

/** `1..0` with a reason; tap writes the same without one for a file in which no test ran. */
function skipsItself({ skipAll, skipReason }) {
  return skipAll && skipReason !== '' && skipReason !== 'no tests found'
}

function tallyOf(parser, isFile) {
  const tally = { passed: 0, failed: 0, skipped: 0 }
  let subtest // its own tally, until the line that sums it up arrives
  parser.on('child', (child) => {
    subtest = tallyOf(child, false)
  })
  parser.on('assert', (result) => {
    if (subtest !== undefined) addSubtest(tally, subtest, result)
    else if (isFile) addTest(tally, result)
    subtest = undefined
  })
  return tally
}

function addSubtest(tally, subtest, result) {
  if (subtest.passed + subtest.failed + subtest.skipped === 0) {
    addTest(tally, result)
    return
  }
  tally.passed += subtest.passed
  tally.skipped += subtest.skipped
  // A subtest can fail by itself, for instance by its time limit, while all within it passed.
  const failedByItself = !result.ok && !result.todo && subtest.failed === 0
  tally.failed += subtest.failed + (failedByItself ? 1 : 0)
}

function addTest(tally, result) {
  if (result.skip || result.todo) tally.skipped += 1
  else if (result.ok) tally.passed += 1
  else tally.failed += 1
}
