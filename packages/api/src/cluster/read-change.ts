/** Reads a change that another process wrote, which may run another version. Main thread. */
import type { Change } from '../changes.ts'

const KINDS: Readonly<Record<Change['kind'], readonly string[]>> = {
  'user-changed': [],
  'user-deleted': [],
  'client-changed': ['clientId'],
  'client-deleted': ['clientId'],
  'application-changed': ['applicationId'],
  'application-deleted': ['applicationId'],
  'message-deleted': ['messageId'],
  'messages-deleted': [],
}

/** Null for what this version does not know. */
export function readChange(text: string): Change | null {
  const value = JSON.parse(text) as Readonly<Record<string, unknown>>
  const numbers = KINDS[value['kind'] as Change['kind']] as readonly string[] | undefined
  if (numbers === undefined) return null
  const whole = ['userId', ...numbers].every((name) => Number.isSafeInteger(value[name]))
  return whole ? (value as Change) : null
}
