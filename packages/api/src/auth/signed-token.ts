/**
 * The signed form of a Gotify v3 token, `gtfy?.<public key>.<unix seconds>.<signature>`: its bearer
 * proves the key without showing the seed, for 15 minutes. Gateway thread. Undocumented in Gotify
 * (its auth/token.go), and no known client sends it, so speed does not matter here.
 */
import { ed25519ph } from '@noble/curves/ed25519'
import { decodeBase64Url, KEY_BYTES, malformedToken } from './token-text.ts'

const SIGNATURE_BYTES = 64
const WINDOW_MS = 15 * 60 * 1000

export interface SignedToken {
  readonly key: Buffer
  /** Unix seconds, as sent: the signature covers the text. */
  readonly time: string
  readonly signature: Buffer
}

/** @throws {PushError} UNAUTHENTICATED if a part cannot be read */
export function parseSignedToken(key: string, time: string, signature: string): SignedToken {
  const keyBytes = decodeBase64Url(key)
  if (keyBytes.length !== KEY_BYTES) throw malformedToken('public key must be 32 bytes')
  if (!/^-?\d{1,15}$/.test(time)) throw malformedToken('timestamp must be a number')
  const signatureBytes = decodeBase64Url(signature)
  if (signatureBytes.length !== SIGNATURE_BYTES) throw malformedToken('signature must be 64 bytes')
  return { key: keyBytes, time, signature: signatureBytes }
}

/**
 * True if the signature is of the key and made within 15 minutes of now. (Gotify answers 500 to a
 * signature of another key; for us that is a wrong token.)
 * @param now milliseconds since 1970
 */
export function provesKey(token: SignedToken, now: number): boolean {
  if (Math.abs(now - Number(token.time) * 1000) > WINDOW_MS) return false
  return ed25519ph.verify(token.signature, Buffer.from(`iat=${token.time}`), token.key)
}
