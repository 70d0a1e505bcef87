/** The command line of `npm run prove`, read and checked before anything is started. Used by main.ts. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { ProofOptions } from './prove.ts'

const DEFAULT_SECONDS = 45

export type CommandLine = Omit<ProofOptions, 'signal' | 'say'> & { readonly quiet: boolean }

/** @throws {Error} in one line that names the option */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values } = parseArgs({
    args: [...args],
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
    seed: values.seed === undefined ? randomInt(1_000_000) : wholeNumber('seed', values.seed, 0),
    seconds: Math.round(minutesOf(values.minutes) * 60),
    hosts: wholeNumber('processes', values.processes, 1),
    members: wholeNumber('members', values.members, 1),
    meanPauseMs: wholeNumber('pause', values.pause, 1),
    quiet: values.quiet,
  }
}

function minutesOf(text: string): number {
  const minutes = Number(text)
  if (text.trim() === '' || !Number.isFinite(minutes) || minutes < 0) {
    throw new Error(`--minutes takes a number, not "${text}"`)
  }
  return minutes
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) {
    throw new Error(`--${name} takes a whole number from ${least} on, not "${text}"`)
  }
  return value
}
