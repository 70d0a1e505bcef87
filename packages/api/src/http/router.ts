/**
 * Finds the endpoint of a method and a path in a tree of path segments. Gateway thread; after the
 * path is normalized. O(segments); a literal segment wins over a `{name}`.
 */
import type { Route } from './types.ts'

export interface RouteMatch {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

interface Endpoint {
  readonly route: Route
  /** Names of the `{name}` parts from left to right. */
  readonly names: readonly string[]
}

class Node {
  readonly literals = new Map<string, Node>()
  /** Any one segment that is not empty. */
  parameter: Node | undefined
  /** By method: what ends here. */
  readonly endpoints = new Map<string, Endpoint>()
  /** By method: what takes the rest of the path from here. */
  readonly rests = new Map<string, Endpoint>()
}

export class Router {
  readonly #root = new Node()

  /** @throws {RangeError} if two routes have the same method and pattern */
  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#add(route)
  }

  find(method: string, path: string): RouteMatch | null {
    const values: string[] = []
    const endpoint = findIn(this.#root, method, path.split('/').slice(1), 0, values)
    if (endpoint === null) return null
    const params: Record<string, string> = {}
    endpoint.names.forEach((name, index) => (params[name] = values[index] ?? ''))
    return { route: endpoint.route, params }
  }

  #add(route: Route): void {
    const names: string[] = []
    let node = this.#root
    let target = (): Map<string, Endpoint> => node.endpoints
    for (const segment of route.pattern.split('/').slice(1)) {
      const name = /^\{(\w+)(\*?)\}$/.exec(segment)
      if (name === null) {
        node = getOrAdd(node.literals, segment)
        continue
      }
      names.push(name[1] ?? '')
      if (name[2] === '*') target = () => node.rests
      else node = node.parameter ??= new Node()
    }
    const endpoints = target()
    if (endpoints.has(route.method)) {
      throw new RangeError(`Two routes for ${route.method} ${route.pattern}`)
    }
    endpoints.set(route.method, { route, names })
  }
}

function findIn(
  node: Node,
  method: string,
  segments: readonly string[],
  index: number,
  values: string[],
): Endpoint | null {
  const segment = segments[index]
  if (segment === undefined) return node.endpoints.get(method) ?? null
  const literal = node.literals.get(segment)
  if (literal !== undefined) {
    const found = findIn(literal, method, segments, index + 1, values)
    if (found !== null) return found
  }
  if (node.parameter !== undefined && segment !== '') {
    values.push(segment)
    const found = findIn(node.parameter, method, segments, index + 1, values)
    if (found !== null) return found
    values.pop()
  }
  const rest = node.rests.get(method)
  if (rest === undefined) return null
  values.push(segments.slice(index).join('/'))
  return rest
}

function getOrAdd(nodes: Map<string, Node>, segment: string): Node {
  const known = nodes.get(segment)
  if (known !== undefined) return known
  const added = new Node()
  nodes.set(segment, added)
  return added
}
