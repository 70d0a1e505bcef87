/**
 * `npm run prove`: loses nothing, and shows it. Options: --minutes N (faults for so long; 45 s without), --seed N,
 * --processes N, --members N (each process a cluster of so many), --pause MS (mean time between faults), --quiet. Exit
 * code 1 when a promise was broken or the fleet did not start, 2 when the options are wrong.
 */
import { say } from '../plan/progress.ts'
import { forgetProcesses } from '../server/running-record.ts'
import { readCommandLine } from './options.ts'
import { prove, type ProofOptions } from './prove.ts'
import { findingsOf, tableOf } from './report.ts'

const options = readOptions()
const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) {
  // More than once: npm hands on the signal that the terminal sends to both.
  process.on(signal, () => interrupt.abort(new Error(`Ended early by ${signal}`)))
}

const proof = await prove({ ...options, signal: interrupt.signal }).catch((error: unknown) => {
  forgetProcesses()
  say(error instanceof Error ? error.message : String(error))
  // Faults of an interrupted schedule would still be waited for.
  process.exit(1)
})
forgetProcesses()
say(`\n${tableOf(proof)}\n${findingsOf(proof)}`)
process.exitCode = proof.violations.length > 0 ? 1 : 0

function readOptions(): Omit<ProofOptions, 'signal'> {
  try {
    const { quiet, ...options } = readCommandLine(process.argv.slice(2))
    return { ...options, say: quiet ? () => undefined : say }
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    process.exit(2)
  }
}
