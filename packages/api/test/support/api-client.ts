/**
 * REST calls of a test to a running Bellwire, as plain as node:http gives them: the exact text of
 * an answer matters, and a connection that ends without one is an answer too (status 0).
 */
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'

export interface Answer {
  /** 0: the connection ended without an answer. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface CallOptions {
  /** `name:password` */
  readonly basic?: string
  readonly token?: string
  readonly json?: unknown
  readonly body?: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

export interface Identity {
  readonly userId: number
  /** `name:password` */
  readonly basic: string
  readonly applicationId: number
  readonly applicationToken: string
  readonly clientId: number
  readonly clientToken: string
}

export interface StoredMessage {
  readonly id: number
  readonly message: string
}

export const ADMIN = 'admin:admin'

const PATIENCE_MS = 60_000
/** The most that one page of the history holds. */
const PAGE = 200

let names = 0

export class ApiClient {
  readonly #port: () => number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1_000, timeout: 5_000 })

  /** Asks for the port each time: a server that was started again has another one. */
  constructor(server: { readonly port: number }) {
    this.#port = () => server.port
  }

  async call(target: string, options: CallOptions = {}): Promise<Answer> {
    const [method = '', path = ''] = target.split(' ')
    const headers: Record<string, string> = { ...options.headers }
    if (options.token !== undefined) headers['x-gotify-key'] = options.token
    if (options.basic !== undefined) {
      headers['authorization'] = `Basic ${Buffer.from(options.basic).toString('base64')}`
    }
    if (options.json !== undefined) headers['content-type'] ??= 'application/json'
    const body = options.json === undefined ? options.body : JSON.stringify(options.json)
    if (body !== undefined) headers['content-length'] ??= String(Buffer.byteLength(body))
    return this.#send(method, path, headers, body)
  }

  /** Publishes with the application's token. */
  publish(token: string, message: string, options: CallOptions = {}): Promise<Answer> {
    return this.call('POST /message', { ...options, token, json: { message } })
  }

  /** Makes a user with an application and a client. */
  async identity(): Promise<Identity> {
    const name = `user${++names}`
    const basic = `${name}:password`
    const user = await this.#made('/user', ADMIN, { name, pass: 'password', admin: false })
    const application = await this.#made('/application', basic, { name: 'application' })
    const client = await this.#made('/client', basic, { name: 'client' })
    return {
      userId: Number(user['id']),
      basic,
      applicationId: Number(application['id']),
      applicationToken: String(application['token']),
      clientId: Number(client['id']),
      clientToken: String(client['token']),
    }
  }

  /** Every message that the user has, oldest first, each as the exact text of its JSON. */
  async history({ basic }: Pick<Identity, 'basic'>): Promise<readonly string[]> {
    const texts: string[] = []
    let since = 0
    do {
      const { status, text } = await this.call(`GET /message?limit=${PAGE}&since=${since}`, {
        basic,
      })
      if (status !== 200) throw new Error(`No history: ${status} ${text}`)
      const page = pageTexts(text)
      texts.push(...page)
      since = page.length < PAGE ? 0 : idOf(page.at(-1) ?? '')
    } while (since > 0)
    return texts.reverse()
  }

  close(): void {
    this.#agent.destroy()
  }

  async #made(path: string, basic: string, json: object): Promise<Record<string, unknown>> {
    const answer = await this.call(`POST ${path}`, { basic, json })
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`)
    return JSON.parse(answer.text) as Record<string, unknown>
  }

  #send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string | Uint8Array | undefined,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const nothing: Answer = { status: 0, headers: {}, text: '' }
      const request = httpRequest(
        { host: '127.0.0.1', port: this.#port(), method, path, headers, agent: this.#agent },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('close', () => {
            clearTimeout(patience)
            const text = Buffer.concat(chunks).toString()
            const { statusCode = 0 } = response
            resolve(
              response.complete ? { status: statusCode, headers: response.headers, text } : nothing,
            )
          })
        },
      )
      const patience = setTimeout(() => {
        reject(new Error(`${method} ${path} was not answered`))
        request.destroy()
      }, PATIENCE_MS)
      request.on('error', () => {
        clearTimeout(patience)
        resolve(nothing)
      })
      request.end(body)
    })
  }
}

/** The id in the text of a message. */
export function idOf(text: string): number {
  return Number(/^\{"id":(\d+)/.exec(text)?.[1])
}

/** The messages of a page of the history, each as its own text. */
function pageTexts(page: string): readonly string[] {
  const start = page.indexOf('"messages":[') + '"messages":['.length
  const texts: string[] = []
  let depth = 0
  let from = start
  let quoted = false
  for (let index = start; index < page.length; index++) {
    const character = page[index]
    if (quoted) {
      if (character === '\\') index++
      else if (character === '"') quoted = false
    } else if (character === '"') quoted = true
    else if (character === '{' && depth++ === 0) from = index
    else if (character === '}' && --depth === 0) texts.push(page.slice(from, index + 1))
    else if (character === ']' && depth === 0) break
  }
  return texts
}
