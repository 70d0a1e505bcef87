/** The rule for new passwords: what bcrypt can hold, and nothing else. Main thread. */
import type { PasswordHash } from './deps.ts'
import { invalid, text } from './fields.ts'

/** bcrypt looks at no more bytes; to cut the rest off in silence would accept wrong passwords. */
const MAX_PASSWORD_BYTES = 72

/** Field of a body; '' where none was sent. */
export const PASSWORD = text()

/** @throws PushError BAD_REQUEST for a password longer than 72 bytes of UTF-8. */
export async function hashPassword(hasher: PasswordHash, pass: string): Promise<string> {
  if (Buffer.byteLength(pass) > MAX_PASSWORD_BYTES) {
    throw invalid('pass', `must not be longer than ${String(MAX_PASSWORD_BYTES)} bytes`)
  }
  return hasher.hash(pass)
}
