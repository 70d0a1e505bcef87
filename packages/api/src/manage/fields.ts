/**
 * What a request body may hold, field by field, and how JSON and form values become it. Follows
 * Gotify: Go's encoding/json for JSON, gin's form mapping for forms and queries, the words of its
 * validator for what is missing. Pure functions; body-binding.ts finds the raw values.
 */
import { PushError } from '@bellwire/common'

/** One field of a body; `T` is what the handler gets. */
export interface Field<T> {
  /** What the handler gets when the field is missing or null. */
  readonly absent: T
  /** True: an empty text, a zero or a missing field is refused. */
  readonly required: boolean
  /** @throws PushError BAD_REQUEST for a value of another type. */
  fromJson(value: unknown, name: string): T
  /** @throws PushError BAD_REQUEST for a text that is no value of the type. */
  fromForm(value: string, name: string): T
}

export type Fields = Readonly<Record<string, Field<unknown>>>
export type Bound<F extends Fields> = {
  readonly [Name in keyof F]: F[Name] extends Field<infer T> ? T : never
}

interface TextOptions {
  readonly required?: boolean
  /** Characters as JavaScript counts them. */
  readonly maxLength?: number
}

/** A text; missing is ''. */
export function text({ required = false, maxLength = Infinity }: TextOptions = {}): Field<string> {
  function check(value: string, name: string): string {
    if (value.includes('\0')) throw invalid(name, 'must not hold the character NUL')
    if (value.length > maxLength) {
      throw invalid(name, `must not be longer than ${maxLength} characters`)
    }
    // JSON may escape half a surrogate pair; UTF-8 cannot hold it, and Go puts U+FFFD there too.
    return value.toWellFormed()
  }
  return {
    absent: '',
    required,
    fromJson(value, name) {
      if (typeof value !== 'string') throw invalid(name, 'must be a text')
      return check(value, name)
    },
    fromForm: check,
  }
}

interface IntegerOptions {
  readonly required?: boolean
  readonly min?: number
  readonly max?: number
}

/** A whole number; missing is 0. */
export function integer(options: IntegerOptions = {}): Field<number> {
  return integerOr(0, options)
}

/** A whole number, or null when it is missing. */
export function optionalInteger(options: IntegerOptions = {}): Field<number | null> {
  return integerOr<number | null>(null, options)
}

function integerOr<T extends number | null>(
  absent: T,
  {
    required = false,
    min = Number.MIN_SAFE_INTEGER,
    max = Number.MAX_SAFE_INTEGER,
  }: IntegerOptions,
): Field<number | T> {
  function check(value: number, name: string): number {
    if (!Number.isInteger(value)) throw invalid(name, 'must be a whole number')
    if (value > max) throw invalid(name, `must be less or equal to ${max}`)
    if (value < min) throw invalid(name, `must be more or equal to ${min}`)
    return value + 0
  }
  return {
    absent,
    required,
    fromJson(value, name) {
      if (typeof value !== 'number') throw invalid(name, 'must be a whole number')
      return check(value, name)
    },
    fromForm(value, name) {
      if (value === '') return check(0, name)
      if (!/^[+-]?\d+$/.test(value)) throw invalid(name, 'must be a whole number')
      return check(Number(value), name)
    },
  }
}

const GO_TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const GO_FALSE = new Set(['', '0', 'f', 'F', 'false', 'FALSE', 'False'])

/** True or false; missing is false. Forms take what Go's strconv.ParseBool takes. */
export function boolean(): Field<boolean> {
  return {
    absent: false,
    required: false,
    fromJson(value, name) {
      if (typeof value !== 'boolean') throw invalid(name, 'must be true or false')
      return value
    },
    fromForm(value, name) {
      if (GO_TRUE.has(value)) return true
      if (GO_FALSE.has(value)) return false
      throw invalid(name, 'must be true or false')
    },
  }
}

/** A refusal in the manner of Gotify's own: `Field 'name' is required`. */
export function invalid(name: string, problem: string): PushError {
  return new PushError('BAD_REQUEST', `Field '${name}' ${problem}`)
}
