/**
 * Turns a publish command into a message that may be stored, or says why not. Stage 4 of the flow.
 * The usual publish (an application's token, JSON or form) is checked at once; multipart bodies and
 * senders that name their application in the body take a promise.
 */
import { createHash } from 'node:crypto'
import {
  PushError,
  type ApplicationId,
  type Clock,
  type PublishCommand,
  type UserId,
} from '@bellwire/common'
import type { MessageStore, NewMessage } from '../store/message-store.ts'
import { readBody, readMultipart, type BodyFields } from './body-fields.ts'

interface Sender {
  readonly applicationId: ApplicationId
  readonly name: string
  readonly defaultPriority: number
}

const MAX_KEY_LENGTH = 255

export class PublishChecker {
  readonly #store: Pick<MessageStore, 'application'>
  readonly #clock: Clock

  constructor(store: Pick<MessageStore, 'application'>, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Never throws; a promise rejects with a PushError. */
  check(command: PublishCommand): NewMessage | PushError | Promise<NewMessage> {
    try {
      if (command.bodyKind === 'multipart') {
        // The lane's bytes are released when this call returns.
        const copy = { ...command, body: Uint8Array.from(command.body) }
        const name = nameOf(command)
        return readMultipart(copy.contentType, copy.body).then((fields) =>
          this.#complete(copy, name, fields),
        )
      }
      return this.#complete(command, nameOf(command), readBody(command))
    } catch (error) {
      if (error instanceof PushError) return error
      return new PushError('INTERNAL', 'unexpected error', { cause: error })
    }
  }

  #complete(
    command: PublishCommand,
    name: string,
    fields: BodyFields,
  ): NewMessage | Promise<NewMessage> {
    const { userId, idempotencyKey, defaultPriority } = command
    if (fields.message === '') throw new PushError('BAD_REQUEST', "Field 'message' is required")
    refuseNul('message', fields.message)
    refuseNul('title', fields.title)
    if (idempotencyKey.length > MAX_KEY_LENGTH) {
      throw new PushError(
        'BAD_REQUEST',
        `Idempotency-Key is longer than ${MAX_KEY_LENGTH} characters`,
      )
    }
    const date = this.#clock.now()
    if (command.applicationId !== 0) {
      const sender = { applicationId: command.applicationId, name, defaultPriority }
      return newMessage(userId, sender, fields, idempotencyKey, date)
    }
    return this.#senderFor(userId, fields).then((sender) =>
      newMessage(userId, sender, fields, idempotencyKey, date),
    )
  }

  /** A client or a password names the application in the body. */
  async #senderFor(userId: UserId, { applicationId }: BodyFields): Promise<Sender> {
    if (applicationId === undefined || applicationId === 0) {
      throw new PushError(
        'BAD_REQUEST',
        'appid is required when not authenticating with an application token',
      )
    }
    const found = await this.#store.application(userId, applicationId)
    if (found === null) throw new PushError('BAD_REQUEST', 'appid not found')
    return { applicationId: applicationId as ApplicationId, ...found }
  }
}

function newMessage(
  userId: UserId,
  sender: Sender,
  fields: BodyFields,
  idempotencyKey: string,
  date: number,
): NewMessage {
  const { extras } = fields
  const title = fields.title.trim() === '' ? sender.name : wellFormed(fields.title)
  const message = wellFormed(fields.message)
  const priority = fields.priority ?? sender.defaultPriority
  const { applicationId } = sender
  return {
    userId,
    applicationId,
    title,
    message,
    priority,
    extras,
    date,
    idempotencyKey,
    fingerprint: idempotencyKey === '' ? null : fingerprintOf(fields),
  }
}

/** Of what was sent, before the application's defaults: these may change between two tries. */
function fingerprintOf({ title, message, priority, extras }: BodyFields): Buffer {
  const sent = JSON.stringify([title, message, priority ?? null, extras])
  return createHash('sha256').update(sent).digest()
}

/** PostgreSQL cannot store the character NUL in a text. */
function refuseNul(name: string, text: string): void {
  if (text.includes('\0')) {
    throw new PushError('BAD_REQUEST', `Field '${name}' holds the character NUL`)
  }
}

/** Half a surrogate pair has no UTF-8; it becomes U+FFFD, as in Go. */
function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed()
}

function nameOf({ applicationName }: PublishCommand): string {
  const { buffer, byteOffset, length } = applicationName
  return Buffer.from(buffer, byteOffset, length).toString('utf8')
}
