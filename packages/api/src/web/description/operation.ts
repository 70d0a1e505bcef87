/** What the description of the API says about one endpoint beyond its method, path and credentials. */
import type { AuthMode } from '../../http/types.ts'

/** A JSON schema of Swagger 2.0. */
export type Schema = Readonly<Record<string, unknown>>

export interface Parameter {
  readonly name: string
  readonly type: 'integer' | 'string' | 'boolean'
  readonly description: string
  readonly in?: 'query' | 'header'
}

export interface Operation {
  /** Gotify's where it has the endpoint: programs that generate a client name its calls after it. */
  readonly id: string
  readonly tag: 'message' | 'application' | 'client' | 'user' | 'session' | 'plugin' | 'server'
  readonly summary: string
  readonly details?: string
  readonly parameters?: readonly Parameter[]
  /** Name of the definition of the body. */
  readonly body?: string
  /** True: the body is a file in the field `file`. */
  readonly upload?: boolean
  /** Of the successful answer; absent for an empty one. */
  readonly answer?: Schema
  /** Default: 200. */
  readonly status?: number
  /** Statuses of refusals beyond those that credentials and a body bring along. */
  readonly refusals?: readonly number[]
}

/** By method and path, such as `GET /message`. */
export type Operations = Readonly<Record<string, Operation>>

/** An endpoint as the server knows it; the two raw ones are described by hand. */
export interface Served {
  readonly method: string
  readonly pattern: string
  readonly auth: AuthMode | 'application or client'
}

export function ref(name: string): Schema {
  return { $ref: `#/definitions/${name}` }
}

export function listOf(name: string): Schema {
  return { type: 'array', items: ref(name) }
}

export const TEXT: Schema = { type: 'string' }
