/**
 * The tokens of applications and clients: making them, and finding the form in which the database
 * keeps them. Gateway thread. Two formats are alive: Gotify v3's `gtfya.<seed>` (an Ed25519 seed
 * shown once; the public key is stored) and the 15 characters of Gotify v2 (stored as they are).
 */
import { createHash, createPrivateKey, createPublicKey, randomBytes, randomInt } from 'node:crypto'
import { parseSignedToken, provesKey, type SignedToken } from './signed-token.ts'
import { decodeBase64Url, KEY_BYTES, malformedToken } from './token-text.ts'

/** a: application, c: client. */
export type TokenKind = 'a' | 'c'

export interface NewToken {
  /** What the owner is shown, once. */
  readonly token: string
  /** What the database keeps in `token`: no way back to the shown form for a v3 token. */
  readonly stored: string
  /** SHA-256 of the shown form, the cheap look-up. */
  readonly hash: Buffer
}

/** No token is longer than a signed one (151 characters) or what an imported database holds. */
export const MAX_TOKEN_LENGTH = 180

const PREFIX = 'gtfy'
/** DER of a PKCS #8 private key up to the seed (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const LEGACY_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_'
const LEGACY_RANDOM_LENGTH = 14

/** Makes a token of Gotify v3: 49 characters, 256 random bits. */
export function createToken(kind: TokenKind): NewToken {
  const seed = randomBytes(KEY_BYTES)
  const token = `${PREFIX}${kind}.${seed.toString('base64url')}`
  return { token, stored: publicForm(PREFIX + kind, seed), hash: hashToken(token) }
}

/** Makes a token of Gotify v2, for senders that refuse the longer ones: 15 characters, 84 random bits. */
export function createLegacyToken(kind: 'A' | 'C'): NewToken {
  let token: string = kind
  for (let i = 0; i < LEGACY_RANDOM_LENGTH; i++) {
    token += LEGACY_ALPHABET.charAt(randomInt(LEGACY_ALPHABET.length))
  }
  return { token, stored: token, hash: hashToken(token) }
}

export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** False for texts that are no tokens, and for signed ones, which prove their key for 15 minutes only. */
export function isRememberable(token: string): boolean {
  const isSigned = token.startsWith(PREFIX) && token.split('.').length === 4
  return token.length <= MAX_TOKEN_LENGTH && !isSigned
}

/** What a presented token says before anything is looked up. */
export type ParsedToken =
  | { readonly form: 'legacy'; readonly token: string }
  | { readonly form: 'seed'; readonly head: string; readonly seed: Buffer }
  | { readonly form: 'signed'; readonly head: string; readonly proof: SignedToken }

/** @throws {PushError} UNAUTHENTICATED for a malformed `gtfy` token, in Gotify's words */
export function parseToken(token: string): ParsedToken {
  if (!token.startsWith(PREFIX)) return { form: 'legacy', token }
  const [head = '', key = '', time, signature, ...rest] = token.split('.')
  if (token.includes('.') && time === undefined)
    return { form: 'seed', head, seed: decodeSeed(key) }
  if (time !== undefined && signature !== undefined && rest.length === 0) {
    return { form: 'signed', head, proof: parseSignedToken(key, time, signature) }
  }
  throw malformedToken('token must have 2 or 4 fields separated by dots')
}

/**
 * Derives what the database keeps for a token; null for a signed token that proves nothing. Costs
 * about half a millisecond for a v3 token.
 * @param now milliseconds since 1970
 */
export function storedForm(parsed: ParsedToken, now: number): string | null {
  switch (parsed.form) {
    case 'legacy':
      return parsed.token
    case 'seed':
      return publicForm(parsed.head, parsed.seed)
    case 'signed':
      return provesKey(parsed.proof, now)
        ? `${parsed.head}.${parsed.proof.key.toString('base64url')}`
        : null
  }
}

function decodeSeed(text: string): Buffer {
  const seed = decodeBase64Url(text)
  if (seed.length !== KEY_BYTES) throw malformedToken('private key must be 32 bytes')
  return seed
}

function publicForm(head: string, seed: Buffer): string {
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed]),
    format: 'der',
    type: 'pkcs8',
  })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return `${head}.${spki.subarray(-KEY_BYTES).toString('base64url')}`
}
