/**
 * `npm run prove`: loses nothing, and shows it. Options: --minutes N (faults for so long; 45 s without), --seed N,
 * --processes N, --members N (each process a cluster of so many), --pause MS (mean time between faults), --quiet. Exit code 1 when a promise was broken.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { say } from '../plan/progress.ts'
import { forgetProcesses } from '../server/running-record.ts'
import { prove } from './prove.ts'
import { findingsOf, tableOf } from './report.ts'

const DEFAULT_SECONDS = 45

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

function readOptions(): Omit<Parameters<typeof prove>[0], 'signal'> {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: String(DEFAULT_SECONDS / 60) },
        seed: { type: 'string' },
        processes: { type: 'string', default: '3' },
        members: { type: 'string', default: '1' },
        pause: { type: 'string', default: '2000' },
        quiet: { type: 'boolean', default: false },
      },
    })
    return {
      seed: values.seed === undefined ? randomInt(1_000_000) : numberOf('seed', values.seed),
      seconds: Math.round(numberOf('minutes', values.minutes) * 60),
      hosts: numberOf('processes', values.processes),
      members: numberOf('members', values.members),
      meanPauseMs: numberOf('pause', values.pause),
      say: values.quiet ? () => undefined : say,
    }
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    process.exit(2)
  }
}

function numberOf(name: string, text: string): number {
  const value = Number(text)
  if (text === '' || !(value >= 0)) throw new Error(`--${name} takes a number, not "${text}"`)
  return value
}
