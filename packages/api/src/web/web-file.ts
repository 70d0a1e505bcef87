/**
 * A file of the web pages, held in memory in every form a browser takes: plain, gzip, brotli. Main
 * thread. Made at start, so a request touches no disk and compresses nothing.
 */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { HttpRequest, HttpResponse } from '../http/types.ts'

const compressGzip = promisify(gzip)
const compressBrotli = promisify(brotliCompress)

/** A tenth of the slowest one's time, for some percent more bytes: it is done at every start. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }
const COMPRESSIBLE = /^text\/|json|javascript|xml|wasm|\+json/
/** A compressed form must be this much smaller to be worth its memory. */
const WORTH_IT = 0.9

type Headers = NonNullable<HttpResponse['headers']>
type Coding = 'br' | 'gzip'

export class WebFile {
  readonly #plain: Uint8Array
  readonly #coded: ReadonlyMap<Coding, Uint8Array>
  readonly #headers: Headers
  readonly #etag: string

  constructor(
    plain: Uint8Array,
    coded: ReadonlyMap<Coding, Uint8Array>,
    headers: Headers,
    etag: string,
  ) {
    this.#plain = plain
    this.#coded = coded
    this.#headers = headers
    this.#etag = etag
  }

  answer({ headers }: Pick<HttpRequest, 'headers'>): HttpResponse {
    if (matches(headers.get('if-none-match'), this.#etag)) {
      return { status: 304, headers: this.#headers }
    }
    const accepted = acceptedCodings(headers.get('accept-encoding') ?? '')
    for (const [coding, body] of this.#coded) {
      if (!accepted.has(coding)) continue
      return { status: 200, headers: [...this.#headers, ['content-encoding', coding]], body }
    }
    return { status: 200, headers: this.#headers, body: this.#plain }
  }
}

/** @param headers of every answer, beside those that any file has */
export async function createWebFile(
  content: Uint8Array,
  contentType: string,
  headers: Headers = [],
): Promise<WebFile> {
  const hash = createHash('sha256').update(content).digest('base64url').slice(0, 22)
  // Weak, because it stands for every coding of the content.
  const etag = `W/"${hash}"`
  const all: Headers = [
    ['content-type', contentType],
    ['etag', etag],
    ['cache-control', 'no-cache'],
    ['x-content-type-options', 'nosniff'],
    ['vary', 'Accept-Encoding'],
    ...headers,
  ]
  return new WebFile(content, await compress(content, contentType), all, etag)
}

/** The forms that are worth it, the one to prefer first. */
async function compress(
  content: Uint8Array,
  contentType: string,
): Promise<Map<Coding, Uint8Array>> {
  const coded = new Map<Coding, Uint8Array>()
  if (!COMPRESSIBLE.test(contentType)) return coded
  const [br, gz] = await Promise.all([
    compressBrotli(content, BROTLI),
    compressGzip(content, { level: 9 }),
  ])
  const limit = content.length * WORTH_IT
  if (br.length < limit) coded.set('br', br)
  if (gz.length < limit) coded.set('gzip', gz)
  return coded
}

/** The codings that a browser takes, RFC 9110 section 12.5.3; weights but 0 make no difference. */
function acceptedCodings(header: string): Set<string> {
  const accepted = new Set<string>()
  for (const part of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim())
    const refused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    if (!refused) accepted.add(name)
  }
  return accepted
}

/** The weak comparison of RFC 9110 section 13.1.2. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  const opaque = etag.slice('W/'.length)
  return header.split(',').some((each) => {
    const text = each.trim()
    return text === '*' || text.replace(/^W\//, '') === opaque
  })
}
