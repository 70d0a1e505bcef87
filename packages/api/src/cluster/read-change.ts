/** Reads a change that another process wrote, which may run another version. Main thread. */
import type { Change } from '../changes.ts'

const KINDS: Readonly<Record<Change['kind'], readonly string[]>> = {
  'user-changed': [],
  'user-deleted': [],
  'client-changed': ['clientId'],
  'client-deleted': ['clientId'],
  'application-changed': ['applicationId'],
  'application-deleted': ['applicationId'],
  'message-deleted': ['messageIds'],
  'messages-deleted': [],
}

/** Null for what this version does not know. */
export function readChange(text: string): Change | null {
  const value = JSON.parse(text) as Readonly<Record<string, unknown>>
  const fields = KINDS[value['kind'] as Change['kind']] as readonly string[] | undefined
  if (fields === undefined) return null
  const whole = ['userId', ...fields].every((name) => {
    const ids = name === 'messageIds' ? value[name] : [value[name]]
    return Array.isArray(ids) && ids.every(Number.isSafeInteger)
  })
  return whole ? (value as Change) : null
}
