/** A short stand-in for a text; md5, because PostgreSQL computes the same. */
import { createHash } from 'node:crypto'

export function digestOf(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

/** What a frame or an answer says: the id, and the digests of the message and of the whole. */
export function readMessage(text: string): { id: number; digest: string; text: string } {
  const { id, message } = JSON.parse(text) as { id: number; message: string }
  return { id, digest: digestOf(message), text: digestOf(text) }
}
