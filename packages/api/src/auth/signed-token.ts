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
  readonly key: string
  readonly time: string
  readonly signature: string
}

/**
 * Returns the public key that the token proves; null if the time is out of the window or the
 * signature is not of that key. (Gotify answers 500 to the latter; for us it is a wrong token.)
 * @param now milliseconds since 1970
 * @throws {PushError} UNAUTHENTICATED if a part cannot be read
 */
export function signedTokenKey(token: SignedToken, now: number): Buffer | null {
  const key = decodeBase64Url(token.key)
  if (key.length !== KEY_BYTES) throw malformedToken('public key must be 32 bytes')
  if (!/^-?\d{1,15}$/.test(token.time)) throw malformedToken('timestamp must be a number')
  const signature = decodeBase64Url(token.signature)
  if (signature.length !== SIGNATURE_BYTES) throw malformedToken('signature must be 64 bytes')
  if (Math.abs(now - Number(token.time) * 1000) > WINDOW_MS) return null
  const message = Buffer.from(`iat=${token.time}`)
  return ed25519ph.verify(signature, message, key) ? key : null
}
