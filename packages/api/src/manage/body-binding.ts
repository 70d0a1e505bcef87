/**
 * Reads a body into typed fields, as Gotify's web framework (gin) binds it: the Content-Type
 * decides between JSON, multipart and form plus query. Main thread; handlers call it first, and it
 * throws PushError BAD_REQUEST for whatever does not fit.
 */
import { PushError } from '@bellwire/common'
import type { RouteContext } from '../http/types.ts'
import type { Bound, Fields } from './fields.ts'
import { invalid } from './fields.ts'
import { parseFirstJsonValue } from './first-json-value.ts'
import { readMultipart } from './multipart.ts'

/** Types that Gotify would bind and Bellwire does not; guessing a form would lose the body in silence. */
const NOT_READ = new Set([
  'application/xml',
  'text/xml',
  'application/x-protobuf',
  'application/x-msgpack',
  'application/msgpack',
  'application/x-yaml',
  'application/yaml',
  'application/toml',
])

/** @throws PushError BAD_REQUEST */
export async function bindBody<F extends Fields>(
  context: RouteContext,
  fields: F,
): Promise<Bound<F>> {
  // gin compares this part of the header as it is, so capitals make a form of it.
  const type = (context.request.headers.get('content-type') ?? '').split(/[ ;]/, 1)[0] ?? ''
  if (type === 'application/json') return fromJson(context.body, fields)
  if (NOT_READ.has(type)) throw new PushError('BAD_REQUEST', `cannot read a body of type ${type}`)
  return fromForm(await formValues(context, type), fields)
}

/** Binds the query alone, as GET endpoints do. @throws PushError BAD_REQUEST */
export function bindQuery<F extends Fields>(query: string, fields: F): Bound<F> {
  return fromForm(firstOfEach(new URLSearchParams(query)), fields)
}

async function formValues(
  context: RouteContext,
  type: string,
): Promise<ReadonlyMap<string, string>> {
  const mediaType = type.toLowerCase()
  if (mediaType === 'multipart/form-data') {
    const contentType = context.request.headers.get('content-type') ?? ''
    return firstOfEach((await readMultipart(context.body, contentType)).values)
  }
  const query = new URLSearchParams(context.request.query)
  if (mediaType !== 'application/x-www-form-urlencoded') return firstOfEach(query)
  const body = new URLSearchParams(Buffer.from(context.body).toString())
  return firstOfEach([...body, ...query])
}

function firstOfEach(pairs: Iterable<readonly [string, string]>): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const [name, value] of pairs) {
    if (!values.has(name)) values.set(name, value)
  }
  return values
}

function fromForm<F extends Fields>(values: ReadonlyMap<string, string>, fields: F): Bound<F> {
  return bind(fields, (name, field) => {
    const value = values.get(name)
    return value === undefined ? field.absent : field.fromForm(value, name)
  })
}

function fromJson<F extends Fields>(body: Uint8Array, fields: F): Bound<F> {
  const value = parseFirstJsonValue(body)
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) {
    throw new PushError('BAD_REQUEST', 'the JSON body must be an object')
  }
  // Keys ignore case and the last of several wins; a null changes nothing.
  const values = new Map<string, unknown>()
  for (const [key, entry] of Object.entries(value ?? {})) {
    if (entry !== null) values.set(key.toLowerCase(), entry)
  }
  return bind(fields, (name, field) => {
    const entry = values.get(name.toLowerCase())
    return entry === undefined ? field.absent : field.fromJson(entry, name)
  })
}

function bind<F extends Fields>(
  fields: F,
  read: (name: string, field: Fields[string]) => unknown,
): Bound<F> {
  const bound: Record<string, unknown> = {}
  const missing: string[] = []
  for (const [name, field] of Object.entries(fields)) {
    const value = read(name, field)
    if (field.required && (value === '' || value === 0)) {
      missing.push(invalid(name, 'is required').message)
    }
    bound[name] = value
  }
  if (missing.length > 0) throw new PushError('BAD_REQUEST', missing.join('; '))
  return bound as Bound<F>
}
