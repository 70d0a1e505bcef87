/** The description of the API as a Swagger 2.0 document, the form in which Gotify gives it. */
import { STATUS_CODES } from 'node:http'
import { DEFINITIONS } from './definitions.ts'
import type { Endpoint } from './endpoints.ts'
import { type Operation, ref, type Schema, type Served } from './operation.ts'

const SECURITY_DEFINITIONS = {
  basicAuth: { type: 'basic' },
  tokenHeader: { type: 'apiKey', in: 'header', name: 'X-Gotify-Key' },
  tokenQuery: { type: 'apiKey', in: 'query', name: 'token' },
  tokenBearer: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: 'Bearer and the token.',
  },
}

const REFUSALS_OF_AUTH: Readonly<Record<Served['auth'], readonly number[]>> = {
  none: [],
  optional: [],
  client: [401],
  'application or client': [401],
  elevated: [401, 403],
  admin: [401, 403],
}

/** @param host name and port that the document is to name */
export function swaggerDocument(
  endpoints: readonly Endpoint[],
  version: string,
  host: string,
): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const endpoint of endpoints) {
    const methods = (paths[endpoint.path] ??= {})
    methods[endpoint.method.toLowerCase()] = describe(endpoint)
  }
  return {
    swagger: '2.0',
    info: {
      title: 'Bellwire',
      description: 'The API of Gotify, and what Bellwire adds to it.',
      license: { name: 'MIT' },
      version,
    },
    host,
    basePath: '/',
    schemes: ['http', 'https'],
    consumes: ['application/json'],
    produces: ['application/json'],
    paths,
    definitions: DEFINITIONS,
    securityDefinitions: SECURITY_DEFINITIONS,
  }
}

function describe({ path, auth, operation }: Endpoint): object {
  const { id, tag, summary, details, answer, status = 200, upload } = operation
  const statuses = new Set([
    ...REFUSALS_OF_AUTH[auth],
    ...(path.includes('{id}') || operation.body !== undefined ? [400] : []),
    ...(operation.refusals ?? []),
  ])
  const refusals = Object.fromEntries([...statuses].map((each) => [each, refusal(each)] as const))
  const success = {
    description: STATUS_CODES[status],
    ...(answer !== undefined && { schema: answer }),
  }
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(details !== undefined && { description: details }),
    ...(upload === true && { consumes: ['multipart/form-data'] }),
    ...(auth !== 'none' && { security: Object.keys(SECURITY_DEFINITIONS).map(alone) }),
    parameters: parameters(path, operation),
    responses: { [status]: success, ...refusals },
  }
}

function parameters(path: string, { parameters: told = [], body, upload }: Operation): object[] {
  const names = path.match(/(?<=\{)\w+(?=\})/g) ?? []
  const inPath = names.map((name) => ({
    name,
    in: 'path',
    required: true,
    ...(name === 'id' ? { type: 'integer', format: 'int64' } : { type: 'string' }),
  }))
  const others = told.map((each) => ({
    ...{ name: each.name, in: each.in ?? 'query', description: each.description },
    ...{ required: false, type: each.type },
  }))
  return [
    ...inPath,
    ...others,
    ...(body === undefined
      ? []
      : [{ name: 'body', in: 'body', required: true, schema: ref(body) }]),
    ...(upload === true ? [{ name: 'file', in: 'formData', required: true, type: 'file' }] : []),
  ]
}

function refusal(status: number): Schema {
  return { description: STATUS_CODES[status], schema: ref('Error') }
}

function alone(scheme: string): object {
  return { [scheme]: [] }
}
