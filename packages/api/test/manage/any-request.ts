/**
 * Random requests for the tests that throw anything at an endpoint: texts, fields in the form of JSON,
 * forms and multipart, headers; half of them plausible, so that they get past the first check.
 */
import fc from 'fast-check'
import type { Answer } from './management-server.ts'

const fieldNames = [
  ...['name', 'description', 'defaultPriority', 'sortKey', 'regenerateToken', 'pass', 'admin'],
  ...['expiresAfterInactivitySeconds', 'durationSeconds', 'limit', 'since', 'after', 'from', 'to'],
  ...['legacyToken', 'file', 'token', 'id', 'code', 'state', 'code_verifier', 'code_challenge'],
  ...['redirect_uri', 'error', 'iss', 'response', '__proto__', 'constructor', 'NAME', ''],
]
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e9',
    '9223372036854775808',
    'true',
    '\0',
    '\ud800',
    '2026-01-01',
  ),
  fc.string().map((text) => text.repeat(200)),
)
const wildFields = fc.dictionary(
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...fieldNames) }, fc.string()),
  fc.oneof(anyText, fc.jsonValue(), fc.maxSafeInteger(), fc.double(), fc.boolean()),
  { maxKeys: 8 },
)
/** Right types, so that the texts get as far as the database. */
const plausibleFields = fc
  .tuple(anyText, anyText, fc.maxSafeInteger())
  .map(([name, pass, number]): Record<string, unknown> => ({
    ...{ name, pass, description: pass, sortKey: pass },
    ...{ defaultPriority: number, expiresAfterInactivitySeconds: 60, durationSeconds: number },
  }))
export const anyFields = fc.oneof(wildFields, plausibleFields)
export interface Body {
  readonly type: string
  readonly bytes: Uint8Array
}

const formType = 'application/x-www-form-urlencoded'
const multipartType = 'multipart/form-data; boundary=mark'
export const anyBody: fc.Arbitrary<Body> = fc.oneof(
  anyFields.map((fields) => ({ type: 'application/json', bytes: bytesOf(JSON.stringify(fields)) })),
  fc.string({ unit: 'binary' }).map((text) => ({ type: 'application/json', bytes: bytesOf(text) })),
  fc.uint8Array().map((bytes) => ({ type: 'application/json', bytes })),
  anyFields.map((fields) => ({ type: formType, bytes: bytesOf(formOf(fields)) })),
  fc.uint8Array().map((bytes) => ({ type: formType, bytes })),
  anyFields.map((fields) => ({ type: multipartType, bytes: bytesOf(multipartOf(fields)) })),
  fc.uint8Array().map((bytes) => ({ type: multipartType, bytes })),
  fc
    .tuple(
      fc.constantFrom('text/plain', 'application/xml', 'multipart/form-data', ';', '*'),
      anyText,
    )
    .map(([type, text]) => ({ type, bytes: bytesOf(text) })),
)

const headerValue = fc.stringMatching(/^[!-~][ -~]{0,80}[!-~]$/)
export const anyHeaders = fc.dictionary(
  fc.constantFrom(
    'accept',
    'cookie',
    'range',
    'sec-fetch-site',
    'x-forwarded-for',
    'if-none-match',
  ),
  headerValue,
)

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text)
}

export function formOf(fields: Record<string, unknown>): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) form.append(name, asText(value))
  return form.toString()
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function multipartOf(fields: Record<string, unknown>): string {
  const parts = Object.entries(fields).map(([name, value], i) => {
    const file = i % 3 === 0 ? `; filename="${name}.png"` : ''
    const head = `Content-Disposition: form-data; name="${name.replace(/["\r\n]/g, '')}"${file}`
    return `--mark\r\n${head}\r\n\r\n${asText(value)}\r\n`
  })
  return `${parts.join('')}--mark--\r\n`
}

/** Whether it is refused in the shape that Gotify's clients read. */
export function isGotifyError({ json, status, headers }: Answer): boolean {
  const error = json as Record<string, unknown>
  return (
    headers.get('content-type')?.startsWith('application/json') === true &&
    typeof error['error'] === 'string' &&
    error['errorCode'] === status &&
    typeof error['errorDescription'] === 'string' &&
    error['errorDescription'] !== ''
  )
}
