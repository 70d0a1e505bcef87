/** Reads the files of /proc. */
import { readFileSync } from 'node:fs'

/** The number behind `name:` at the beginning of a line; 0 where there is none. */
export function field(path: string, name: string): number {
  const match = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(readOr(path, ''))
  return Number(match?.[1] ?? 0)
}

/** Processes end between two reads; a file that is gone counts as empty. */
export function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return otherwise
  }
}
