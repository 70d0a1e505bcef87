/**
 * The answers to HTTP-01 challenges, as files that every process on the same cache folder can give:
 * the certificate authority asks whichever of them takes its connection. Main thread.
 */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorResponse, pageNotFound } from '../../http/response.ts'
import type { Route } from '../../http/types.ts'
import { makeFolder } from '../../make-folder.ts'

/** RFC 8555, section 8.3. */
export const CHALLENGE_PATH = '/.well-known/acme-challenge/'

/** The base64url alphabet, so that a token can be a file name. */
const TOKEN = /^[\w-]{1,200}$/

export class Challenges {
  readonly #folder: string

  /** @param cache GOTIFY_SERVER_SSL_LETSENCRYPT_CACHE */
  constructor(cache: string) {
    this.#folder = join(cache, 'challenges')
  }

  /** @throws {RangeError} for a token that RFC 8555 does not allow */
  async put(token: string, answer: string): Promise<void> {
    const file = this.#file(token)
    if (file === null) throw new RangeError('The token of the challenge is not base64url')
    await makeFolder(this.#folder, 0o700)
    await writeFile(file, answer, { mode: 0o600 })
  }

  async remove(token: string): Promise<void> {
    const file = this.#file(token)
    if (file !== null) await rm(file, { force: true })
  }

  /** Null for a token that nobody asked to be challenged with. */
  async find(token: string): Promise<string | null> {
    const file = this.#file(token)
    if (file === null) return null
    try {
      return await readFile(file, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    }
  }

  /** The endpoint on the plain port. */
  route(): Route {
    return {
      method: 'GET',
      pattern: `${CHALLENGE_PATH}{token}`,
      auth: 'none',
      outsideApi: true,
      handle: async ({ params }) => {
        const answer = await this.find(params['token'] ?? '')
        if (answer === null) return errorResponse(pageNotFound())
        return {
          status: 200,
          headers: [['content-type', 'application/octet-stream']],
          body: answer,
        }
      },
    }
  }

  #file(token: string): string | null {
    return TOKEN.test(token) ? join(this.#folder, token) : null
  }
}
