/** The characters of a `gtfy` token: reading them strictly, and refusing them in Gotify's words. Gateway thread. */
import { PushError } from '@bellwire/common'

/** Length of an Ed25519 seed and of a public key (RFC 8032). */
export const KEY_BYTES = 32

/**
 * Reads base64url without padding. Strict, because Node skips what it cannot read.
 * @throws {PushError} UNAUTHENTICATED
 */
export function decodeBase64Url(text: string): Buffer {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) {
    throw malformedToken('base64 decode failed')
  }
  return Buffer.from(text, 'base64url')
}

/** The refusal of a token that cannot be read. */
export function malformedToken(reason: string): PushError {
  return new PushError('UNAUTHENTICATED', `cannot parse token: ${reason}`)
}
