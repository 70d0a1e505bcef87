/**
 * JSON in and out without changing a number: JavaScript rounds what does not fit a double, and a
 * push server has no business to. Ordinary bodies take the built-in parser; only one that holds a
 * long or exponential number takes lossless-json, which keeps its digits.
 */
import { isSafeNumber, parse, stringify } from 'lossless-json'

/** Any number that may not survive a double holds 16 digits or an exponent. */
const MAYBE_INEXACT = /[\d.]{16}|\d[eE][+-]?\d/
/** Texts are full of such digits (times, ids), which do not count. */
const STRINGS = /"(?:[^"\\]|\\.)*"/g

/**
 * Parses the first JSON value of the text; what follows it is ignored, as Go's decoder does.
 * Numbers that a double cannot hold come as `LosslessNumber`.
 * @throws {SyntaxError} when there is no whole value, {RangeError} when it is nested too deep.
 */
export function parseExactly(text: string): unknown {
  if (MAYBE_INEXACT.test(text) && MAYBE_INEXACT.test(text.replace(STRINGS, '""'))) {
    return parse(firstValue(text), undefined, {
      parseNumber: (digits) => (isExact(digits) ? Number(digits) : new LosslessText(digits)),
      onDuplicateKey: ({ newValue }) => newValue,
    })
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    const first = firstValue(text)
    if (first.length === text.length) throw error
    return JSON.parse(first)
  }
}

/** A number kept as its digits; lossless-json writes it back as it came. */
class LosslessText {
  readonly isLosslessNumber = true
  readonly value: string

  constructor(value: string) {
    this.value = value
  }

  toString(): string {
    return this.value
  }
}

function isExact(digits: string): boolean {
  return isSafeNumber(digits) && Number.isFinite(Number(digits))
}

/** A lone half of a surrogate pair, which JSON.stringify writes as an escape; Go puts U+FFFD there. */
const LONE_SURROGATE = /(?<=(?:^|[^\\])(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g

/** Writes parsed extras back as JSON text, with the numbers that {@link parseExactly} kept. */
export function stringifyExtras(extras: object): string {
  const text = stringify(extras, undefined, undefined, [
    {
      test: (value): value is LosslessText => value instanceof LosslessText,
      stringify: (value) => String(value),
    },
  ])
  return (text ?? '{}').replace(LONE_SURROGATE, '\ufffd')
}

/** Cuts the text behind its first complete value when that is an object or array. */
function firstValue(text: string): string {
  let depth = 0
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index)
    if (inString) {
      if (character === BACKSLASH) index++
      else if (character === QUOTE) inString = false
    } else if (character === QUOTE) inString = true
    else if (character === OPEN_BRACE || character === OPEN_BRACKET) depth++
    else if (character === CLOSE_BRACE || character === CLOSE_BRACKET) {
      depth--
      if (depth === 0) return text.slice(0, index + 1)
    }
  }
  return text
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
