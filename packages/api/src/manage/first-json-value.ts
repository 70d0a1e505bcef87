/**
 * Parses the JSON value at the start of a body and ignores what follows, as Go's json.Decoder does
 * for Gotify. Pure. Some senders append a line feed, a NUL or a second object.
 */
import { PushError } from '@bellwire/common'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** @throws PushError BAD_REQUEST when the body is empty or does not start with a JSON value. */
export function parseFirstJsonValue(body: Uint8Array): unknown {
  const text = decoder.decode(body)
  try {
    return JSON.parse(text)
  } catch (error) {
    const end = endOfFirstValue(text)
    if (end === text.length) throw badJson(text, error)
    try {
      return JSON.parse(text.slice(0, end))
    } catch (second) {
      throw badJson(text, second)
    }
  }
}

function badJson(text: string, cause: unknown): PushError {
  const empty = text.trim() === ''
  const problem = empty ? 'EOF' : 'invalid JSON'
  return new PushError('BAD_REQUEST', problem, { cause })
}

/** Index behind the object or array that the text starts with; the whole length if it never ends. */
function endOfFirstValue(text: string): number {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') at = endOfString(text, at)
    else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') {
      depth--
      if (depth <= 0) return at + 1
    }
  }
  return text.length
}

/** Index of the quote that closes the string opened at `start`. Linear, whatever the text holds. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
