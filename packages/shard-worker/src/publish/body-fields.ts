/**
 * Reads what a publish body says, in each of the forms that Gotify takes (gin's binding,
 * gotify-api 1.1). Stage 4 of the flow, on the shard's worker thread. It knows types and syntax;
 * what the fields mean is publish-checker.ts.
 */
import { PushError, type PublishCommand } from '@bellwire/common'
import busboy from 'busboy'
import { Readable } from 'node:stream'
import { ExactNumber, parseExactly, stringifyExtras } from './exact-json.ts'

export interface BodyFields {
  readonly message: string
  readonly title: string
  /** Undefined when the body does not say. */
  readonly priority: number | undefined
  /** JSON text, null for none. */
  readonly extras: string | null
  readonly applicationId: number | undefined
}

/** Reads a JSON, form or query publish at once. @throws {PushError} BAD_REQUEST */
export function readBody(command: PublishCommand): BodyFields {
  if (command.bodyKind === 'json') return readJson(textOf(command.body))
  const query = new URLSearchParams(command.query)
  if (command.bodyKind === 'query') return readForm((name) => query.get(name))
  const form = new URLSearchParams(textOf(command.body))
  return readForm((name) => form.get(name) ?? query.get(name))
}

/** Reads a multipart publish; the bytes may be reused afterwards. @throws {PushError} BAD_REQUEST */
export async function readMultipart(contentType: string, body: Uint8Array): Promise<BodyFields> {
  const fields = new Map<string, string>()
  try {
    await new Promise<void>((resolve, reject) => {
      const parser = busboy({
        headers: { 'content-type': contentType },
        limits: { fieldSize: body.length, files: 0, fields: 100 },
      })
      parser.on('field', (name, value) => {
        if (!fields.has(name)) fields.set(name, value)
      })
      parser.on('close', resolve)
      parser.on('error', reject)
      Readable.from([body]).pipe(parser)
    })
  } catch (error) {
    throw new PushError('BAD_REQUEST', `multipart: ${describe(error)}`, { cause: error })
  }
  return readForm((name) => fields.get(name) ?? null)
}

function readForm(get: (name: string) => string | null): BodyFields {
  return {
    message: get('message') ?? '',
    title: get('title') ?? '',
    priority: integerField('priority', get('priority')),
    extras: null,
    applicationId: integerField('appid', get('appid')),
  }
}

/** An empty field counts as 0, as in Gotify. */
function integerField(name: string, text: string | null): number | undefined {
  if (text === null) return undefined
  if (text === '') return 0
  const value = /^[+-]?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw wrongType(name, 'a whole number up to 2^53 - 1')
  return value
}

function readJson(text: string): BodyFields {
  let parsed: unknown
  try {
    parsed = parseExactly(text)
  } catch (error) {
    const problem = isTooDeep(error) ? 'it is nested too deep' : describe(error)
    throw new PushError('BAD_REQUEST', `JSON: ${problem}`, { cause: error })
  }
  parsed ??= {}
  if (!isObject(parsed)) throw new PushError('BAD_REQUEST', 'JSON: the body must be an object')
  let message: unknown
  let title: unknown
  let priority: unknown
  let extras: unknown
  let appid: unknown
  // Without a list of the entries and a Map of the fields, checking a body takes a fifth less.
  for (const key in parsed) {
    const value = parsed[key]
    // Keys are matched without regard to case; null counts as absent.
    if (value === null) continue
    const name = key.toLowerCase()
    if (name === 'message') message = value
    else if (name === 'title') title = value
    else if (name === 'priority') priority = value
    else if (name === 'extras') extras = value
    else if (name === 'appid') appid = value
  }
  return {
    message: stringField('message', message),
    title: stringField('title', title),
    priority: numberField('priority', priority),
    extras: extrasField(extras),
    applicationId: numberField('appid', appid),
  }
}

function stringField(name: string, value: unknown): string {
  if (value === undefined) return ''
  if (typeof value !== 'string') throw wrongType(name, 'a string')
  return value
}

function numberField(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (value instanceof ExactNumber && value.digits === '-0') return 0
  if (!Number.isSafeInteger(value)) throw wrongType(name, 'a whole number up to 2^53 - 1')
  return Number(value)
}

function extrasField(value: unknown): string | null {
  if (value === undefined) return null
  if (!isObject(value)) throw wrongType('extras', 'an object')
  if (Object.keys(value).length === 0) return null
  try {
    return stringifyExtras(value)
  } catch (error) {
    const problem = isTooDeep(error) ? 'is nested too deep' : `cannot be read: ${describe(error)}`
    throw new PushError('BAD_REQUEST', `Field 'extras' ${problem}`, { cause: error })
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !(value instanceof ExactNumber)
}

function wrongType(name: string, wanted: string): PushError {
  return new PushError('BAD_REQUEST', `Field '${name}' must be ${wanted}`)
}

/** What recursion over some thousand levels ends in. */
function isTooDeep(error: unknown): boolean {
  return error instanceof RangeError
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Decodes UTF-8; broken sequences become U+FFFD, as in Go. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}
