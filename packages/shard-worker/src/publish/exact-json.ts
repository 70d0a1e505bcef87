/**
 * JSON in and out without changing a number: JavaScript rounds what does not fit a double, and a
 * push server has no business to. Ordinary bodies take the built-in parser as they are; in others
 * each number that would change travels through it as a marked string. Every step is linear in the
 * text, since a body may be megabytes of anything.
 */
import { isSafeNumber } from 'lossless-json'
import { randomUUID } from 'node:crypto'

/** Any number that may not survive holds 16 digits or an exponent, or is -0, which is written as 0. */
const MAYBE_INEXACT = /[\d.]{16}|\d[eE][+-]?\d|-0(?:\.0+)?(?=[\s,}\]])/
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** Starts the string that stands for a number; nobody outside can know it. */
const MARK = `number ${randomUUID()} `
const MARKED = new RegExp(`"${MARK}([^"]*)"`, 'g')

/**
 * Parses the first JSON value of the text; what follows it is ignored, as Go's decoder does.
 * Numbers that a double cannot hold come as {@link ExactNumber}.
 * @throws {SyntaxError} when there is no whole value, {RangeError} when it is nested too deep.
 */
export function parseExactly(text: string): unknown {
  const marked = MAYBE_INEXACT.test(text) ? markInexact(text) : text
  const revive = marked === text ? undefined : reviveMarked
  try {
    return JSON.parse(marked, revive)
  } catch (error) {
    const first = firstValue(marked)
    if (first.length === marked.length) throw error
    return JSON.parse(first, revive)
  }
}

/** A number as its digits, which {@link stringifyExtras} writes as they came. */
export class ExactNumber {
  readonly digits: string

  constructor(digits: string) {
    this.digits = digits
  }

  /** @throws {TypeError} when no double comes near: whoever reads it as one could read nothing of the page. */
  toJSON(): string {
    if (!Number.isFinite(Number(this.digits))) {
      throw new TypeError(`the number ${this.digits.slice(0, 40)} is out of range`)
    }
    return MARK + this.digits
  }
}

/**
 * Writes parsed extras back as JSON text, with the numbers that {@link parseExactly} kept.
 * @throws {RangeError} when they are nested too deep, {TypeError} when they hold a number beyond any double.
 */
export function stringifyExtras(extras: object): string {
  const text = JSON.stringify(extras)
  const exact = text.includes(MARK) ? text.replace(MARKED, '$1') : text
  return exact.includes('\\ud') ? exact.replace(EACH_ESCAPE, withoutLoneSurrogate) : exact
}

/** Every escape of a JSON text, so that an escaped backslash is not taken for the start of one. */
const EACH_ESCAPE = /\\(?:ud[89a-f][0-9a-f]{2}|.)/g

/** JSON.stringify escapes only the lone half of a surrogate pair; Go puts U+FFFD there. */
function withoutLoneSurrogate(escape: string): string {
  return escape.length === 6 ? '\ufffd' : escape
}

function reviveMarked(_key: string, value: unknown): unknown {
  const marked = typeof value === 'string' && value.startsWith(MARK)
  return marked ? new ExactNumber(value.slice(MARK.length)) : value
}

/** Puts a marked string in the place of each number that a double would change. */
function markInexact(text: string): string {
  let marked = ''
  let copied = 0
  let index = 0
  while (index < text.length) {
    const start = index
    const character = text.charCodeAt(index)
    if (character === QUOTE) index = endOfString(text, index)
    else if (isNumberPart(character)) index = endOfNumber(text, index)
    else index++
    if (!isNumberPart(character)) continue
    const digits = text.slice(start, index)
    if (isExact(digits)) continue
    marked += `${text.slice(copied, start)}"${MARK}${digits}"`
    copied = index
  }
  return marked + text.slice(copied)
}

/** True for what is no number, too: that is the parser's to refuse. */
function isExact(digits: string): boolean {
  const isNegative = digits.charCodeAt(0) === MINUS
  if (!isNegative && digits.length < 16 && !/[eE]/.test(digits)) return true
  if (!NUMBER.test(digits)) return true
  if (Object.is(Number(digits), -0)) return false
  return isSafeNumber(digits) && Number.isFinite(Number(digits))
}

/** The digits, signs, point and exponent that may make up a number. */
function isNumberPart(character: number): boolean {
  return (
    (character >= ZERO && character <= NINE) ||
    character === MINUS ||
    character === PLUS ||
    character === POINT ||
    character === SMALL_E ||
    character === BIG_E
  )
}

function endOfNumber(text: string, start: number): number {
  let index = start + 1
  while (index < text.length && isNumberPart(text.charCodeAt(index))) index++
  return index
}

/** Behind the closing quote, or the end of a text that has none. */
function endOfString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1)
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  return quote === -1 ? text.length : quote + 1
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(index - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

/** Cuts the text behind its first complete value when that is an object or array. */
function firstValue(text: string): string {
  let depth = 0
  let index = 0
  while (index < text.length) {
    const character = text.charCodeAt(index)
    if (character === QUOTE) {
      index = endOfString(text, index)
      continue
    }
    index++
    if (character === OPEN_BRACE || character === OPEN_BRACKET) depth++
    if (character !== CLOSE_BRACE && character !== CLOSE_BRACKET) continue
    depth--
    if (depth === 0) return text.slice(0, index)
  }
  return text
}

const QUOTE = 0x22
const PLUS = 0x2b
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const BIG_E = 0x45
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const SMALL_E = 0x65
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
