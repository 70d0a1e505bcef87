/**
 * Makes users with one application and one client each, over REST, on any server that speaks Gotify v3.
 * Token i of both lists belongs to user i.
 */
import { sleep } from '../wire/clock.ts'
import type { Target } from '../wire/subscriber.ts'

const PARALLEL = 16
const MOST_ATTEMPTS = 5
const ADMIN = 'admin:admin'

export interface Tokens {
  readonly applications: readonly string[]
  readonly clients: readonly string[]
}

/** @throws {Error} with the server's answer when it refuses one of the requests */
export async function fillServer(target: Target, users: number, prefix: string): Promise<Tokens> {
  const applications: string[] = []
  const clients: string[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < users) {
      const index = next++
      const name = `${prefix}${index}`
      await post(target, '/user', basic(ADMIN), { name, pass: 'p', admin: false })
      const client = await post(target, '/client', basic(`${name}:p`), { name: 'bench' })
      const key = { 'x-gotify-key': client.token }
      const application = await post(target, '/application', key, { name: 'bench' })
      clients[index] = client.token
      applications[index] = application.token
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  return { applications, clients }
}

function basic(credentials: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
}

/** Publishes one message and returns its id: a position in the log that later messages are behind. */
export async function publishOne(target: Target, token: string): Promise<number> {
  const { id } = await post(target, '/message', { 'x-gotify-key': token }, { message: 'mark' })
  return id
}

/** A server that has just started may be busy with the passwords of our first requests: 503 is asked again. */
async function post(
  target: Target,
  path: string,
  headers: Record<string, string>,
  body: object,
  attempt = 1,
): Promise<{ id: number; token: string }> {
  const answer = await fetch(`http://${target.host}:${target.port}${path}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  if (answer.status === 503 && attempt < MOST_ATTEMPTS) {
    await sleep(1000 * Number(answer.headers.get('retry-after') ?? 1))
    return post(target, path, headers, body, attempt + 1)
  }
  if (!answer.ok) throw new Error(`POST ${path} was answered ${answer.status}: ${text}`)
  return JSON.parse(text) as { id: number; token: string }
}
