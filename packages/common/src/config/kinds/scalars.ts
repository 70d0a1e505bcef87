/**
 * Settings of one value: numbers, booleans, words, texts and paths, read as strictly as Gotify does
 * (Go's Atoi and ParseBool). Pure functions for the tables in settings/.
 */
import type { Config } from '../types.ts'
import type { Kind } from './kind.ts'

/** A whole number within bounds, both included. */
export function wholeNumber(min: number, max: number): Kind<number> {
  return {
    label: `number, ${min} to ${max}`,
    parse(raw) {
      const value = /^[+-]?\d{1,15}$/.test(raw) ? Number(raw) : NaN
      if (!(value >= min && value <= max)) {
        throw new Error(`must be a whole number from ${min} to ${max}`)
      }
      return value
    },
  }
}

export const bool: Kind<boolean> = {
  label: 'boolean',
  parse(raw) {
    if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(raw)) return true
    if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(raw)) return false
    throw new Error('must be true or false (or 1, t, T, TRUE, True, 0, f, F, FALSE, False)')
  },
}

/** Gotify's level words, in any case, to the levels of pino. */
const LOG_LEVELS = new Map<string, Config['logLevel']>([
  ['trace', 'trace'],
  ['debug', 'debug'],
  ['info', 'info'],
  ['warn', 'warn'],
  ['error', 'error'],
  ['fatal', 'fatal'],
  ['panic', 'fatal'],
  ['disabled', 'silent'],
])

export const logLevel: Kind<Config['logLevel']> = {
  label: 'trace, debug, info, warn, error, fatal, panic or disabled',
  parse(raw) {
    const level = LOG_LEVELS.get(raw.toLowerCase())
    if (level === undefined) throw new Error(`must be one of ${[...LOG_LEVELS.keys()].join(', ')}`)
    return level
  },
}

export const dialect: Kind<Config['database']['dialect']> = {
  label: 'sqlite3, embedded or postgres',
  parse(raw) {
    if (raw === 'sqlite3' || raw === 'embedded') return 'embedded'
    if (raw === 'postgres') return 'postgres'
    throw new Error(
      'must be sqlite3 or embedded (both mean the PostgreSQL that Bellwire runs itself) or postgres' +
        (raw === 'mysql' ? '; there is no MySQL support' : ''),
    )
  },
}

/** Any text without NUL, which neither a path nor PostgreSQL can hold. */
export const text: Kind<string> = matching('text', /^[^\0]*$/, 'free of NUL characters')

export const filledText: Kind<string> = matching('text, not empty', /^[^\0]+$/, 'filled in')

export const filePath: Kind<string> = matching('path', /^[^\0]*$/, 'free of NUL characters')

export const folder: Kind<string> = matching('path, not empty', /^[^\0]+$/, 'the path of a folder')

export const hints: Kind<string> = matching(
  'postgres, none or nats://host:port',
  /^(?:postgres|none|nats:\/\/\S+)$/,
  'postgres, none or the URL of a NATS server (nats://host:4222)',
)

export const optionalUrl: Kind<string> = {
  label: 'http(s) URL or empty',
  parse(raw) {
    if (raw !== '' && !(/^https?:\/\//.test(raw) && URL.canParse(raw))) {
      throw new Error('must be empty or a URL that begins with https:// or http://')
    }
    return raw
  },
}

/** bcrypt reads no more than 72 bytes; a longer password would be cut in silence. */
export const newPassword: Kind<string> = {
  label: 'text, 1 to 72 bytes',
  parse(raw) {
    const bytes = Buffer.byteLength(raw)
    if (bytes < 1 || bytes > 72 || raw.includes('\0')) {
      throw new Error('must be a password of 1 to 72 bytes without NUL characters')
    }
    return raw
  },
}

function matching(label: string, pattern: RegExp, allowed: string): Kind<string> {
  return {
    label,
    parse(raw) {
      if (!pattern.test(raw)) throw new Error(`must be ${allowed}`)
      return raw
    },
  }
}
