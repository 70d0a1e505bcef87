/**
 * Makes the pino loggers of every thread, with secrets kept out in two layers: fields known to hold
 * one are masked, then the finished line is searched for what looks like a token. main.ts and the
 * worker entries create one each; everybody else gets it handed in.
 */
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino'

export type { Logger } from 'pino'

export interface CreateLoggerOptions {
  /** Least level written: trace, debug, info, warn, error, fatal or silent. */
  readonly level: string
  /** Shown in every line, to tell threads apart. */
  readonly name?: string
  /** Standard output, written synchronously, unless given. */
  readonly destination?: DestinationStream
}

const MASK = '***'
/** Of lines that could not be written. */
const KEPT_CHARACTERS = 1_048_576

const SECRET_FIELDS = [
  ...['token', 'password', 'pass', 'clientSecret', 'authorization', 'cookie'],
  ...['["set-cookie"]', '["x-gotify-key"]', '["proxy-authorization"]'],
]

/** A field at the top, or in one of the two levels below it (`{ req: { headers: { cookie } } }`). */
const SECRET_PATHS = SECRET_FIELDS.flatMap((field) => {
  const below = field.startsWith('[') ? field : `.${field}`
  return [field, `*${below}`, `*.*${below}`]
})

/** A query token of any format, up to the next parameter, the end of the URL or of the JSON text. */
const QUERY_TOKEN = /\b((?:access_)?token=)[^&\s"'\\#]+/gi

/** gtfya. and gtfyc. tokens; the older 15-character ones cannot be told from words. */
const BARE_TOKEN = /\b(gtfy[a-z])\.[\w-]{8,}(?:\.[\w-]+)*/g

/** User and password before the host of a URL. */
const URL_CREDENTIALS = /(\w:\/\/)[^\s/"@]+@/g

/** `text` with everything masked that looks like a token or a credential. */
export function maskSecrets(text: string): string {
  return text
    .replace(QUERY_TOKEN, `$1${MASK}`)
    .replace(BARE_TOKEN, `$1.${MASK}`)
    .replace(URL_CREDENTIALS, `$1${MASK}@`)
}

/** A logger of JSON lines, times in UTC, levels by name. */
export function createLogger({ level, name, destination }: CreateLoggerOptions): Logger {
  const options: LoggerOptions = {
    level,
    base: { pid: process.pid, ...(name === undefined ? {} : { name }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_PATHS, censor: MASK },
    hooks: { streamWrite: maskSecrets },
  }
  return pino(options, destination ?? standardOutput())
}

/**
 * Standard output, line by line. What cannot be written (a closed terminal, a full disk) waits for
 * the next line, a megabyte of it at the most: a log that fails must not end the server.
 */
function standardOutput(): DestinationStream {
  const output = pino.destination({ dest: 1, sync: true, maxLength: KEPT_CHARACTERS })
  output.on('error', () => undefined)
  // Nothing but what failed is left to write at the end, and it would be tried for ever.
  output.flushSync = () => undefined
  return output
}
